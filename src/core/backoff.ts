/**
 * Exponential backoff with jitter: how long to wait after failures in a row. All times are milliseconds.
 */

/** How waits grow. */
export interface BackoffParameters {
  /** The limit after the first failure; it doubles with each further one. */
  readonly first: number;
  /** The largest limit. */
  readonly max: number;
  /** No wait is shorter, unless the limit is. */
  readonly min: number;
  /** The random part of a wait, from 0 to 1: with 1 (full jitter) a fleet does not retry at one moment. */
  readonly jitter: number;
}

/**
 * The wait after `failures` in a row (from 1); `random` is from 0 up to but not 1. The server may ask for a longer wait with
 * `retryAfter`, up to `longest`.
 */
export function backoff(
  { first, max, min, jitter }: BackoffParameters,
  failures: number,
  random: number,
  { retryAfter = 0, longest = max }: { readonly retryAfter?: number | undefined; readonly longest?: number },
): number {
  // 2^30 is far above every limit and far below where the doubling would stop being a number.
  const limit = Math.min(max, first * 2 ** Math.min(failures - 1, 30));
  const wait = Math.max(Math.min(min, limit), Math.round(limit * (1 - jitter + jitter * random)));
  return Math.min(Math.max(wait, retryAfter), Math.max(longest, Math.min(min, limit)));
}
