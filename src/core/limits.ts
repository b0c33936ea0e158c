/**
 * Abortable promises, timeouts, and limits of what runs at the same time.
 *
 * Aborting one caller that waits for shared work does not stop the work. No function leaves a timer or a listener behind.
 */

import type { Clock } from './clock.ts';

/** Settles like the promise, or rejects with the signal's reason as soon as the signal is aborted. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/**
 * Like Promise.all over `work` of each item, at most `limit` of them at the same time. After a rejection no other item is
 * started.
 */
export async function mapLimited<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  // One iterator for all: each takes the next item.
  const queue = items.entries();
  let rejected = false;
  const take = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (rejected) return;
      try {
        results[index] = await work(item);
      } catch (error) {
        rejected = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, take));
  return results;
}

/** Settles like `work`, or after `ms` milliseconds rejects with the error of `timedOut`, which is also the reason of the work's signal. */
export async function withTimeout<T>(
  clock: Clock,
  ms: number,
  timedOut: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const cancel = setCancellableTimeout(clock, ms, () => limit.abort(timedOut()));
  try {
    return await abortable(work(limit.signal), limit.signal);
  } finally {
    cancel();
  }
}

/** Calls `then` after `ms` milliseconds; the returned function cancels that. */
export function setCancellableTimeout(clock: Clock, ms: number, then: () => void): () => void {
  const cancel = new AbortController();
  clock.sleep(ms, cancel.signal).then(then, () => {});
  return () => cancel.abort();
}

/** A limited number of units. Callers that request more than are free wait, in order. */
export interface Semaphore {
  /** Takes units (default 1) and resolves with the function that releases them; rejects if the signal is aborted first. */
  take(signal: AbortSignal | undefined, units?: number): Promise<() => void>;
}

/** A semaphore with `limit` free units. A request for more than `limit` units takes all of them. */
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
    async take(signal, requested = 1) {
      signal?.throwIfAborted();
      const units = Math.min(requested, limit);
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
