/** Waits for events of other processes. Each wait has its own limit, in seconds, which only a failure reaches. */

import { setTimeout } from 'node:timers/promises';

/** Milliseconds between two looks. */
const PAUSE = 50;

/**
 * Resolves with the first answer that is not undefined or false; rejects with `what` after `seconds`. An error of `ask`
 * rejects at once.
 */
export async function until<T>(
  what: string | (() => string | Promise<string>),
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  seconds: number,
): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) {
      const wanted = typeof what === 'string' ? what : await what();
      throw new Error(`waited ${seconds} s for ${wanted}`);
    }
    await setTimeout(PAUSE);
  }
}
