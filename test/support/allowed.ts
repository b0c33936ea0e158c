/**
 * What only some machines let a test do: become another user, make namespaces, trace system calls.
 *
 * Where it is not allowed the test cannot be, and must not seem to have been: it is said here, and once more by test/run.ts
 * at the end of all tests.
 */

import { spawnSync } from 'node:child_process';
import { nobody, type ReadableCopy, readableCopy } from './readable-copy.ts';
import { WAIT_LIMIT } from './wait.ts';

/** How a line begins that tells of something untested. */
export const NOT_TESTED = 'not tested here: ';

/** Whether this command succeeds here; where it does not, says that `what` is not tested. */
export function isAllowed(what: string, [command, ...words]: readonly [string, ...string[]]): boolean {
  const works = spawnSync(command, words, { stdio: 'ignore', timeout: WAIT_LIMIT }).status === 0;
  return works || isNotTested(`${what}: ${[command, ...words].join(' ')} is not allowed`);
}

/** Whether a process may become this user: for root, unless its container is a narrow one. */
export function mayBecome(
  what: string,
  user: { readonly uid: number; readonly gid: number } = nobody,
): boolean {
  const works =
    process.getuid?.() === 0 &&
    spawnSync('true', { ...user, stdio: 'ignore', timeout: WAIT_LIMIT }).status === 0;
  return works || isNotTested(`${what}: becoming another user is not allowed`);
}

/** What a process of this user runs; undefined where it may not become that user, or can run nothing of ours. */
export function copyForOthers(
  what: string,
  user: { readonly uid: number; readonly gid: number } = nobody,
): ReadableCopy | undefined {
  if (!mayBecome(what, user)) return undefined;
  const copy = readableCopy();
  if (copy === undefined) isNotTested(`${what}: neither TMPDIR nor /tmp lets another user run a program`);
  return copy;
}

/** Says so where it is not a command that shows it. */
export function isNotTested(what: string): false {
  process.stdout.write(`\n${NOT_TESTED}${what}\n`);
  return false;
}
