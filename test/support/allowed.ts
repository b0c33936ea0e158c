/**
 * Checks for what only some machines allow a test: becoming another user, making namespaces, tracing system calls.
 *
 * A test that cannot run must not look as if it had run: it prints a line, which test/run.ts repeats after all tests.
 */

import { spawnSync } from 'node:child_process';
import { nobody, type ReadableCopy, readableCopy } from './readable-copy.ts';
import { WAIT_LIMIT } from './wait.ts';

/** The beginning of a line about something untested. */
export const NOT_TESTED = 'not tested here: ';

/** Whether this command succeeds here; if not, prints that `what` is not tested. */
export function isAllowed(what: string, [command, ...words]: readonly [string, ...string[]]): boolean {
  const works = spawnSync(command, words, { stdio: 'ignore', timeout: WAIT_LIMIT }).status === 0;
  return works || isNotTested(`${what}: ${[command, ...words].join(' ')} is not allowed`);
}

/** Whether a process may become this user: root may, unless its container lacks the capability. */
export function mayBecome(
  what: string,
  user: { readonly uid: number; readonly gid: number } = nobody,
): boolean {
  const works =
    process.getuid?.() === 0 &&
    spawnSync('true', { ...user, stdio: 'ignore', timeout: WAIT_LIMIT }).status === 0;
  return works || isNotTested(`${what}: becoming another user is not allowed`);
}

/** A copy of the sources that this user can run; undefined where a process may not become that user, or can read no copy. */
export function copyForOthers(
  what: string,
  user: { readonly uid: number; readonly gid: number } = nobody,
): ReadableCopy | undefined {
  if (!mayBecome(what, user)) return undefined;
  const copy = readableCopy();
  if (copy === undefined) isNotTested(`${what}: neither TMPDIR nor /tmp lets another user run a program`);
  return copy;
}

/** Prints that `what` is not tested. */
export function isNotTested(what: string): false {
  process.stdout.write(`\n${NOT_TESTED}${what}\n`);
  return false;
}
