/**
 * Time as a parameter: pure code never reads a clock or sets a timer, so that tests run on a clock of their own.
 */

/** Time, injected. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. May jump. */
  now(): number;
  /** Milliseconds since some fixed moment; never goes back, and counts the time a machine was suspended. */
  elapsed(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason as soon as that is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** From 0 up to but not 1: for jitter. */
  random(): number;
}
