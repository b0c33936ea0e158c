/**
 * One way of notifying the application.
 */

import type { Changed } from '../publish/snapshot.ts';

/** One way of notifications. */
export interface Notifier {
  readonly kind: 'signal' | 'exec' | 'url' | 'touch';
  /** Tells about a change, once; throws a Problem of stage `notify`. Repetition is the caller's affair. */
  notify(change: Changed, signal: AbortSignal): Promise<void>;
}
