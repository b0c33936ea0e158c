/**
 * The environment of the command: that of this process, plus the secrets.
 *
 * Options of podsecrets are never passed. No message contains part of a value.
 */

import type { Environment } from '../core/environment.ts';
import { Problem, throwProblems } from '../core/problem.ts';
import type { Secret } from '../core/secret.ts';

/** A variable that comes from a secret. */
export interface SecretVariable {
  readonly name: string;
  readonly value: Secret;
}

/** The options of `exec` for the environment. */
export interface EnvironmentOptions {
  /** Pass only the variables that every program needs and `keepEnv`. */
  readonly pristine: boolean;
  readonly keepEnv: readonly string[];
  /** Variables whose existing value takes precedence. */
  readonly preserveEnv: readonly string[];
}

/** The environment of the command. */
export interface CommandEnvironment {
  readonly variables: ReadonlyMap<string, string | Secret>;
  readonly path: SearchPath;
  /** Variables whose existing value a secret replaced, sorted. */
  readonly overrides: readonly string[];
}

/** The PATH of the command. */
export interface SearchPath {
  readonly text: string | undefined;
  /** Whether it comes from a secret, so that no message may quote it. */
  readonly isSecret: boolean;
}

/** Paths of programs and temporary files, the user, and the language; `LC_*` too. */
const PRISTINE: ReadonlySet<string> = new Set(['PATH', 'HOME', 'USER', 'TMPDIR', 'TZ', 'LANG', 'TERM']);

/**
 * Bytes of `NAME=value`. The kernel's limit is 32 pages with the NUL at the end (MAX_ARG_STRLEN); for one byte more execve
 * fails with E2BIG.
 */
const LONGEST_VARIABLE = 131_071;

/** The variables to pass, plus the secrets. Throws the Problems of all variables. */
export function commandEnvironment(
  own: Environment,
  secrets: readonly SecretVariable[],
  { pristine, keepEnv, preserveEnv }: EnvironmentOptions,
): CommandEnvironment {
  throwProblems(secrets.flatMap((secret) => mistakeOf(secret) ?? []));
  const variables = new Map<string, string | Secret>();
  for (const [name, value] of Object.entries(own)) {
    if (value === undefined || name.startsWith('PODSECRETS_')) continue;
    if (!pristine || PRISTINE.has(name) || name.startsWith('LC_') || keepEnv.includes(name))
      variables.set(name, value);
  }
  const overrides: string[] = [];
  for (const { name, value } of secrets) {
    const ownValue = own[name];
    if (ownValue !== undefined && preserveEnv.includes(name)) {
      // Also with --pristine.
      variables.set(name, ownValue);
    } else {
      if (ownValue !== undefined) overrides.push(name);
      variables.set(name, value);
    }
  }
  return { variables, path: searchPath(variables.get('PATH')), overrides: overrides.sort() };
}

function searchPath(value: string | Secret | undefined): SearchPath {
  return typeof value === 'object'
    ? { text: new TextDecoder().decode(value.reveal()), isSecret: true }
    : { text: value, isSecret: false };
}

/** Checked before execve, because Node's message for a NUL quotes the value. */
function mistakeOf({ name, value }: SecretVariable): Problem | undefined {
  const bytes = value.reveal();
  const length = byteLength(name) + 1 + bytes.length;
  const found = bytes.includes(0)
    ? 'a NUL character'
    : !isUtf8(bytes)
      ? 'bytes that are not UTF-8'
      : length > LONGEST_VARIABLE
        ? `${length} bytes with the name; the limit is ${LONGEST_VARIABLE}`
        : undefined;
  if (found === undefined) return undefined;
  return new Problem({
    code: 'fetch.content',
    subject: `variable ${name}`,
    message: `expected a value that an environment variable can contain, got ${found}`,
    remedy: 'Let the application read it from its file instead.',
  });
}

/** In an environment. */
export function byteLength(value: string | Secret): number {
  return typeof value === 'string' ? new TextEncoder().encode(value).length : value.reveal().length;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
