/**
 * Time as a parameter: pure code never reads a clock or sets a timer, so tests can use a fake clock.
 */

/** An injected clock. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. May jump. */
  now(): number;
  /** Milliseconds since a fixed moment; never goes back, and includes the time that a machine was suspended. */
  elapsed(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason as soon as that is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** A random number from 0 to less than 1, for jitter. */
  random(): number;
}
