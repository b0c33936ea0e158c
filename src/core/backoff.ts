/**
 * Exponential backoff with jitter after consecutive failures. All times are milliseconds.
 */

/** The parameters of a backoff. */
export interface BackoffParameters {
  /** The limit after the first failure; it doubles with each further one. */
  readonly first: number;
  /** The largest limit. */
  readonly max: number;
  /** The minimum delay, unless the limit is lower. */
  readonly min: number;
  /** The random part of a delay, from 0 to 1: with 1 (full jitter) a fleet does not retry at the same moment. */
  readonly jitter: number;
}

/**
 * The delay after `failures` consecutive failures (from 1); `random` is at least 0 and less than 1. A server's `retryAfter` can
 * lengthen it, up to `longest`.
 */
export function backoff(
  { first, max, min, jitter }: BackoffParameters,
  failures: number,
  random: number,
  { retryAfter = 0, longest = max }: { readonly retryAfter?: number | undefined; readonly longest?: number },
): number {
  // 2^30 is far above every limit and far below an overflow.
  const limit = Math.min(max, first * 2 ** Math.min(failures - 1, 30));
  const wait = Math.max(Math.min(min, limit), Math.round(limit * (1 - jitter + jitter * random)));
  return Math.min(Math.max(wait, retryAfter), Math.max(longest, Math.min(min, limit)));
}
