/**
 * Waiting with an end: for a promise, for a limit of time, for a free slot.
 *
 * Work that is shared goes on when one who waits for it is aborted. Nothing here keeps a timer or a listener behind.
 */

import type { Clock } from '../core/clock.ts';

/** The promise's outcome, or a rejection with the signal's reason as soon as that is aborted. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** The work's outcome, or, after `ms` milliseconds, a rejection with what `late` makes, which the work's signal tells too. */
export async function withTimeout<T>(
  clock: Clock,
  ms: number,
  late: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const cancel = setCancellableTimeout(clock, ms, () => limit.abort(late()));
  try {
    return await abortable(work(limit.signal), limit.signal);
  } finally {
    cancel();
  }
}

/** Calls back after `ms` milliseconds, unless it is cancelled with the function that it answers. */
export function setCancellableTimeout(clock: Clock, ms: number, then: () => void): () => void {
  const cancel = new AbortController();
  clock.sleep(ms, cancel.signal).then(then, () => {});
  return () => cancel.abort();
}

/** At most so many at a time; the others wait in the order in which they came. */
export interface Semaphore {
  /** Resolves when there is room, with what gives the slot back; rejects when the signal is aborted first. */
  take(signal: AbortSignal | undefined): Promise<() => void>;
}

/** `limit` slots, all of them free. */
export function createSemaphore(limit: number): Semaphore {
  let free = limit;
  const waiting = new Set<() => void>();
  const release = (): void => {
    const [next] = waiting;
    if (next === undefined) free++;
    else next();
  };
  return {
    async take(signal) {
      signal?.throwIfAborted();
      if (free > 0) free--;
      else
        await new Promise<void>((resolve, reject) => {
          const wake = (): void => {
            waiting.delete(wake);
            signal?.removeEventListener('abort', abort);
            resolve();
          };
          const abort = (): void => {
            waiting.delete(wake);
            reject(signal?.reason);
          };
          waiting.add(wake);
          signal?.addEventListener('abort', abort, { once: true });
        });
      return release;
    },
  };
}
