/**
 * Removes the environment variables that change what Node itself does.
 *
 * An application's settings for its own Node can be in the container of podsecrets too, by `envFrom` or from a base image. NODE_DEBUG
 * prints the requests with their tokens, NODE_TLS_REJECT_UNAUTHORIZED=0 trusts any certificate, NODE_V8_COVERAGE and
 * NODE_COMPILE_CACHE write files. Node reads most of them before this program runs, so it has to start again without them.
 * Node's other variables have no effect here, and hooks may need them. The command of `exec` gets all of them.
 */

import type { Environment } from '../core/environment.ts';

/** https://nodejs.org/api/cli.html#environment-variables, and those that only Node's sources mention. */
const CHANGING: readonly string[] = [
  // Writes below this directory.
  'NODE_COMPILE_CACHE',
  'NODE_COMPILE_CACHE_PORTABLE',
  // Prints requests and responses.
  'NODE_DEBUG',
  'NODE_DEBUG_NATIVE',
  // Reads data of other languages.
  'NODE_ICU_DATA',
  // Prints more warnings, or writes them to a file.
  'NODE_PENDING_DEPRECATION',
  'NODE_REDIRECT_WARNINGS',
  // Prints in the format of a test runner.
  'NODE_TEST_CONTEXT',
  // Trusts any certificate, or other CAs.
  'NODE_TLS_REJECT_UNAUTHORIZED',
  'NODE_USE_SYSTEM_CA',
  // Lets another process listen instead, even if it is empty.
  'NODE_UNIQUE_ID',
  // Uses a proxy by other rules.
  'NODE_USE_ENV_PROXY',
  // Writes below this directory, at exit.
  'NODE_V8_COVERAGE',
];

/** The prefix of variables that are kept for the command of `exec`. */
const KEPT = '_PODSECRETS_KEPT_';

/** The environment without them, or with `keep` under prefixed names; undefined if none of them is set. */
export function withoutNodeVariables(env: Environment, { keep }: { keep: boolean }): Environment | undefined {
  if (!CHANGING.some((name) => env[name] !== undefined)) return undefined;
  const entries = Object.entries(env).flatMap(([name, value]) =>
    !CHANGING.includes(name) ? [[name, value]] : keep ? [[KEPT + name, value]] : [],
  );
  return Object.fromEntries(entries);
}

/** The environment with their original names. */
export function withNodeVariables(env: Environment): Environment {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name.startsWith(KEPT) ? name.slice(KEPT.length) : name,
      value,
    ]),
  );
}
