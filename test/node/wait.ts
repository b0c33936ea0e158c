/** Waits for events of other processes. Each wait has its own limit, in seconds, which only a failure reaches. */

import { setTimeout } from 'node:timers/promises';

/** Milliseconds between two polls. */
const PAUSE = 50;

/**
 * Resolves with the first result that is not undefined or false; rejects with `what` after `seconds`. An error of `poll`
 * rejects at once.
 */
export async function until<T>(
  what: string | (() => string | Promise<string>),
  poll: () => T | undefined | false | Promise<T | undefined | false>,
  seconds: number,
): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const result = await poll();
    if (result !== undefined && result !== false) return result;
    if (performance.now() > deadline) {
      const wanted = typeof what === 'string' ? what : await what();
      throw new Error(`waited ${seconds} s for ${wanted}`);
    }
    await setTimeout(PAUSE);
  }
}
