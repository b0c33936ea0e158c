/**
 * One way to notify the application, and its status.
 */

import type { Problem, ProblemCode } from '../core/problem.ts';

/** One way to notify the application. */
export interface Notifier {
  readonly kind: NotifierKind;
  /** Notifies once of these changed files; throws a Problem of stage `notify`. Retries are the caller's task. */
  notify(names: readonly string[], signal: AbortSignal): Promise<void>;
}

export type NotifierKind = 'signal' | 'exec' | 'url' | 'touch';

/** Replaces published values in an external text; undefined if the text may show a value that is unavailable. */
export type Redact = (text: string) => string | undefined;

/** Shown instead of such a text. */
export const NOT_SHOWN =
  'not shown, because values that were published are no longer available for redaction';

/** One notifier on the status page. */
export interface NotifierStatus {
  readonly kind: NotifierKind;
  /** `idle`: everything is delivered. `waiting`: for the splay, or for the next attempt. `notifying`: an attempt is running. */
  readonly state: 'idle' | 'waiting' | 'notifying';
  /** Files of changes that are not delivered yet. */
  readonly pending: number;
  /** ISO 8601 in UTC; undefined before the first delivery. */
  readonly lastNotified?: string | undefined;
  /** Failed attempts since the last delivery. */
  readonly consecutiveFailures: number;
  readonly lastFailure?: string | undefined;
  /** Why that failed; kept after recovery. */
  readonly lastError?: NotifierError | undefined;
}

/** The fields of a Problem that a person needs. */
type NotifierError = Pick<Problem, 'subject' | 'message' | 'remedy'> & { readonly code: ProblemCode };
