/**
 * How long a test waits for what comes from another process, or from the kernel.
 *
 * Only a test that fails waits so long, so it is more than a machine needs that is slow, or busy elsewhere; and so much less
 * than test/run.ts gives a file that several waits can fail, each with a sentence that says what did not come.
 */

import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds. */
export const WAIT_LIMIT = 30_000;

type Description = string | (() => string);

/** Resolves as soon as it is so; rejects with `what` was expected when it does not become so. */
export async function until(what: Description, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WAIT_LIMIT;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw late(what);
    // Not only a turn of the event loop: on a busy machine whoever is waited for needs the core.
    await sleep(1);
  }
}

/** What the promise resolves or rejects with; rejects with `what` was expected when it does neither in time. */
export async function within<Value>(what: Description, promise: Promise<Value>): Promise<Value> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(late(what)), WAIT_LIMIT);
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function late(what: Description): Error {
  return new Error(`expected ${typeof what === 'string' ? what : what()}, not within ${WAIT_LIMIT} ms`);
}
