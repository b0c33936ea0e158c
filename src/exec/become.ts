/**
 * Becomes the command by execve(2): the same process, without a shell; no part of podsecrets stays in it.
 *
 * Changes by Node that execve keeps are undone first: ignored and blocked signals. Standard streams that
 * Node opened would stay non-blocking: standard-streams.ts prevents that. One change is left: Node raises the soft limit of
 * open files to the hard one, and the original limit is unknown.
 */

import { accessSync, constants, readFileSync, type Stats, statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Secret } from '../core/secret.ts';
import { unblockSignals } from '../v8/signals.ts';
import {
  type FileKind,
  notStarted,
  otherFailure,
  type Program,
  type StartFailure,
  startFailures,
} from './program.ts';

/**
 * Never returns. Rejects with the reason of `stop` if a signal arrived, or with a Problem of code `exec.start`. The error of
 * Node is not its cause, because it can quote a value.
 */
export async function become(
  { file, name }: Program,
  argv: readonly string[],
  variables: ReadonlyMap<string, string | Secret>,
  stop: AbortSignal,
): Promise<never> {
  // Node ignores these two, so that `yes | head` would not end. execve resets every signal with a handler to its default.
  for (const signal of ['SIGPIPE', 'SIGXFSZ'] as const) process.on(signal, () => {});
  const environment = Object.fromEntries(
    [...variables].map(([name, value]) => [name, typeof value === 'string' ? value : textOf(value)]),
  );
  // Before the handlers are removed: a SIGUSR1 that arrived during the fetch would end the process at its default action.
  unblockSignals();
  // Two turns of the event loop, because the first may be over its reading of signals. Afterwards signals have their default action,
  // as if the command were running already.
  await setImmediate();
  await setImmediate();
  stop.throwIfAborted();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGALRM'] as const)
    process.removeAllListeners(signal);
  let errno: number | undefined;
  try {
    process.execve?.(file, [...argv], environment);
  } catch (error) {
    ({ errno } = error as NodeJS.ErrnoException);
  }
  throw notStarted(name, failureOf(errno));
}

/** The kind of file at a path, for the user of this process. */
export function fileKind(file: string): FileKind {
  const stat = statOf(file);
  if (typeof stat === 'string') return stat;
  if (!stat.isFile()) return 'notExecutable';
  try {
    accessSync(file, constants.X_OK);
    return 'program';
  } catch {
    return (stat.mode & 0o111) === 0o111 ? 'forbidden' : 'notExecutable';
  }
}

/** The limits of this process as the kernel shows them, which the command inherits. */
export function readLimits(): string {
  return readFileSync('/proc/self/limits', 'utf8');
}

/** As execvp(3): a directory that this user may not search can have the program; any other error means that it has not. */
function statOf(file: string): Stats | FileKind {
  try {
    return statSync(file);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'notExecutable' : 'missing';
  }
}

function textOf(value: Secret): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(value.reveal());
}

/** Numbers of errno(3), because Node has no code for E2BIG. */
function failureOf(errno: number | undefined): StartFailure {
  switch (Math.abs(errno ?? 0)) {
    case 2:
      return startFailures.interpreter;
    case 7:
      return startFailures.tooLong;
    case 8:
      return startFailures.format;
    case 13:
      return startFailures.notExecutable;
    default:
      return otherFailure(errno === undefined ? 'Node gave no reason' : `errno ${Math.abs(errno)}`);
  }
}
