/**
 * Waits for something from another process or from the kernel, with a limit.
 *
 * Only a failing test reaches the limit, so it is more than a slow or busy machine needs; and it is much less than the timeout
 * of test/run.ts for a file, so that several waits can fail, each with a sentence that names what did not happen.
 */

import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds. With 55 processes that want to run on 2 cores, one start of the program took 30 s. */
export const WAIT_LIMIT = 90_000;

type Description = string | (() => string);

/** Resolves as soon as the condition is true; rejects with "expected `what`" after the limit. */
export async function until(what: Description, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WAIT_LIMIT;
  while (!(await condition())) {
    if (performance.now() > deadline) throw late(what);
    // Not only a turn of the event loop: on a busy machine the other process needs the core.
    await sleep(1);
  }
}

/** Settles as the promise does; rejects with "expected `what`" when it does not settle within the limit. */
export async function within<Value>(what: Description, promise: Promise<Value>): Promise<Value> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(late(what)), WAIT_LIMIT);
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** The exit code and the signal of a process, also if it has ended already; rejects when it does not end within the limit. */
export function endOf(child: ChildProcess): Promise<readonly [number | null, NodeJS.Signals | null]> {
  const { exitCode, signalCode, spawnfile, pid } = child;
  if (exitCode !== null || signalCode !== null) return Promise.resolve([exitCode, signalCode]);
  const end = Promise.withResolvers<readonly [number | null, NodeJS.Signals | null]>();
  child.once('error', end.reject);
  child.once('exit', (code, signal) => end.resolve([code, signal]));
  return within(`the end of ${spawnfile} (pid ${pid})`, end.promise);
}

function late(what: Description): Error {
  return new Error(`expected ${typeof what === 'string' ? what : what()}, not within ${WAIT_LIMIT} ms`);
}
