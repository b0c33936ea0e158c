/**
 * What only some machines let a test do: become another user, make namespaces, trace system calls.
 *
 * Where it is not allowed the test cannot be, and must not seem to have been: it is said here, and once more by test/run.ts
 * at the end of all tests.
 */

import { type SpawnSyncOptions, spawnSync } from 'node:child_process';

/** How a line begins that tells of something untested. */
export const NOT_TESTED = 'not tested here: ';

/** Another user, who owns nothing. */
export const nobody = { uid: 65_534, gid: 65_534 } as const;

/** Whether this command succeeds here; where it does not, says that `what` is not tested. */
export function isAllowed(
  what: string,
  [command, ...words]: readonly [string, ...string[]],
  options: SpawnSyncOptions = {},
): boolean {
  if (spawnSync(command, words, { stdio: 'ignore', ...options }).status === 0) return true;
  process.stdout.write(`\n${NOT_TESTED}${what}: ${[command, ...words].join(' ')} is not allowed\n`);
  return false;
}

/** Whether a process may become another user. */
export function mayBecome(
  what: string,
  user: { readonly uid: number; readonly gid: number } = nobody,
): boolean {
  return isAllowed(`${what} (needs root)`, ['true'], user);
}
