/**
 * A pass with all that it owes: the files are published, and the application is told.
 *
 * What is to be told is remembered with the files until every notifier has told it; so a process that takes the place of a
 * killed one tells at once what that one did not come to, also while AWS is away, and tells nothing twice that all have told.
 */

import type { Clock } from '../core/clock.ts';
import type { FilePath } from '../core/file-path.ts';
import type { Log } from '../core/log.ts';
import { Problem } from '../core/problem.ts';
import type { Notifier } from '../notify/notifier.ts';
import {
  createNotificationQueue,
  type NotificationQueue,
  type NotificationQueueOptions,
} from '../notify/queue.ts';
import type { Changed } from '../publish/snapshot.ts';
import type { Phase } from './backoff.ts';
import { type SyncContext, syncAll } from './sync.ts';
import type { SyncTarget } from './target.ts';

/** Passes, and the teller that they hand their changes to. */
export interface Sync {
  readonly queue: NotificationQueue;
  /** One pass over every config. Throws the problems of those that failed; rejects with the reason of `stop`. */
  sync(phase: Phase, stop: AbortSignal): Promise<void>;
}

/** What passes and teller work with. */
export interface SyncOptions
  extends Pick<SyncContext, 'targets' | 'fetcher' | 'applySecrets'>,
    Pick<NotificationQueueOptions, 'splay'> {
  readonly notifiers: readonly Notifier[];
  readonly clock: Clock;
  readonly log: Log;
  readonly publishes: SyncContext['count'];
  readonly notifications: NotificationQueueOptions['count'];
}

/** A sync that tells what was left untold. Throws a Problem when a directory does not say what that is. */
export function createSync(options: SyncOptions): Sync {
  const { targets } = options;
  const queue = createNotificationQueue({
    ...options,
    count: options.notifications,
    onDrained: tryClearPending,
  });

  function notify(target: SyncTarget, change: Changed): void {
    queue.enqueue(targets.length === 1 ? change : withDirectory(change, target.directory));
  }

  /** What everybody has heard need not be remembered. */
  function clearPending(): void {
    if (!queue.isDrained()) return;
    for (const target of targets) target.clearPendingNotification();
  }

  function tryClearPending(): void {
    try {
      clearPending();
    } catch (error) {
      // Nobody is there to be told; the next pass tries again, and fails with what is in the way.
      if (!(error instanceof Problem)) throw error;
    }
  }

  for (const target of targets) {
    const pending = target.pendingNotification();
    if (pending !== undefined) notify(target, pending);
  }
  return {
    queue,
    async sync(phase, stop) {
      await syncAll({ ...options, notify, count: options.publishes }, phase, stop);
      clearPending();
    },
  };
}

/** With several directories a file's name alone would not say which is meant. */
function withDirectory(change: Changed, directory: string): Changed {
  const place = (paths: readonly FilePath[]) => paths.map((path) => `${directory}/${path}` as FilePath);
  return {
    kind: 'changed',
    added: place(change.added),
    updated: place(change.updated),
    removed: place(change.removed),
  };
}
