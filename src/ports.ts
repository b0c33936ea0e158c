/**
 * The doors to the outside world: interfaces only.
 *
 * Sync and agent know these and nothing of what stands behind them, so that the hardest behaviours are tested with a fake
 * world in milliseconds. Each door has one or two methods.
 */

import type { EventName } from './core/log-events.ts';
import type { Problem } from './core/problem.ts';
import type { SecretRef, FetchResults } from './config/secret-ref.ts';
import type { Change, Changed, FilePath, Snapshot } from './publish/snapshot.ts';

/** Where values come from. */
export interface SecretSource {
  /**
   * Asks for all of them at once; answers with one outcome for each. Failures of single reads, of credentials and of the
   * network are outcomes, not rejections; only an abort by `signal` rejects.
   */
  read(reads: readonly SecretRef[], signal: AbortSignal): Promise<FetchResults>;
}

/** Where files go. */
export interface PublishTarget {
  /** Whether a set is in use that has all of these files: published by this process or by one before it. */
  holds(paths: readonly FilePath[]): boolean;
  /**
   * Makes the directory hold exactly this set, in one step, or throws a Problem of stage `publish` and leaves it as it was.
   * What `telling` makes of a change is remembered with the set until `told`, beyond the end of the process.
   */
  publish(next: Snapshot, notify: (change: Changed) => Changed | undefined): Change;
  /** What is remembered: changes that the application may not have heard of. */
  pendingNotification(): Changed | undefined;
  /** The application has heard of everything. */
  clearPendingNotification(): void;
}

/** One way of telling the application. */
export interface Notifier {
  readonly kind: 'signal' | 'exec' | 'url' | 'touch';
  /** Tells about a change, once; throws a Problem of stage `notify`. Repetition is the caller's affair. */
  notify(change: Changed, signal: AbortSignal): Promise<void>;
}

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

/** From what only a search for an error needs to what somebody must see. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Only what can be printed: an object with a Secret inside does not type-check. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Where events are said. */
export interface Log {
  /** One line. `message` is a sentence for people. */
  write(level: LogLevel, event: EventName, message: string, fields?: LogFields): void;
  /** A problem as one line, with its code, subject and remedy as fields. */
  problem(level: LogLevel, event: EventName, problem: Problem, fields?: LogFields): void;
}

/** Counts what the metrics page shows. */
export interface ApiMeter {
  /** One call to AWS that ended: `result` is `success`, `denied`, `throttled`, `client`, `server` or `network`. */
  apiCall(service: string, operation: string, region: string, result: string): void;
}
