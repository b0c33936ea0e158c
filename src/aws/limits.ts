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

/** The work's outcome, or, after `ms` milliseconds, a rejection with what `late` makes, which is also the reason of the work's signal. */
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

/** A limited number of units; those who want more than are free wait in the order in which they came. */
export interface Semaphore {
  /** Resolves with what releases the units, 1 by default; rejects when the signal is aborted first. */
  take(signal: AbortSignal | undefined, units?: number): Promise<() => void>;
}

/** `limit` units, all of them free. More than that at once are given as soon as all are free. */
export function createSemaphore(limit: number): Semaphore {
  let free = limit;
  const waiting = new Set<{ readonly units: number; readonly resume: () => void }>();
  const resumeNext = (): void => {
    for (const waiter of waiting) {
      if (waiter.units > free) return;
      free -= waiter.units;
      waiting.delete(waiter);
      waiter.resume();
    }
  };
  return {
    async take(signal, wanted = 1) {
      signal?.throwIfAborted();
      const units = Math.min(wanted, limit);
      if (waiting.size === 0 && units <= free) free -= units;
      else
        await new Promise<void>((resolve, reject) => {
          const waiter = {
            units,
            resume() {
              signal?.removeEventListener('abort', abort);
              resolve();
            },
          };
          const abort = (): void => {
            waiting.delete(waiter);
            reject(signal?.reason);
            resumeNext();
          };
          waiting.add(waiter);
          signal?.addEventListener('abort', abort, { once: true });
        });
      return () => {
        free += units;
        resumeNext();
      };
    },
  };
}
