/**
 * Requests for a sync, kept apart in time.
 *
 * Whoever asks may ask as often as he likes: the first request counts at once, those that follow too soon are one, and count
 * when the time has come. So none is lost, and no loop in a script can spend API calls.
 */

import type { Clock } from '../core/clock.ts';

/** `ask`, at most once in `spacing` milliseconds. After `stop` nothing is asked any more. */
export function createRefreshLimit(
  refresh: () => void,
  spacing: number,
  clock: Clock,
  stop: AbortSignal,
): () => void {
  let nextAllowed = Number.NEGATIVE_INFINITY;
  let waiting = false;
  const refreshNow = (): void => {
    waiting = false;
    nextAllowed = clock.elapsed() + spacing;
    refresh();
  };
  return () => {
    const wait = nextAllowed - clock.elapsed();
    if (waiting || stop.aborted) return;
    if (wait <= 0) return refreshNow();
    waiting = true;
    clock.sleep(wait, stop).then(refreshNow, () => {});
  };
}
