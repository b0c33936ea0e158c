/**
 * The names of changed files between a publish and their delivery: in the queue, and stored with the files.
 *
 * They are stored until every notifier has delivered them; so a process that replaces a killed one delivers at once what the
 * killed one did not deliver, even while AWS is unavailable, and repeats nothing that all notifiers delivered.
 */

import { Problem } from '../core/problem.ts';
import {
  createNotificationQueue,
  type NotificationQueue,
  type NotificationQueueOptions,
} from '../notify/queue.ts';
import type { SyncTarget } from './target.ts';

/** The queue of all targets, and the stored names. */
export interface Undelivered {
  readonly queue: NotificationQueue;
  /** Enqueues the names of a publish. */
  add(target: SyncTarget, generation: string, names: readonly string[]): void;
  /** Enqueues the names that are stored with the files. Throws a Problem if the directory cannot be read. */
  addStored(target: SyncTarget): void;
  /** Removes the stored names that were delivered. Throws a Problem. */
  clearDelivered(): void;
}

/** Enqueues at once what an earlier process left. Throws a Problem if a directory cannot be read. */
export function createUndelivered(
  targets: readonly SyncTarget[],
  options: Omit<NotificationQueueOptions, 'onDrained'>,
): Undelivered {
  const queue = createNotificationQueue({ ...options, onDrained: () => void tryClear() });
  /** For each target the generation whose names are in the queue, or were delivered. */
  const enqueued = new Map<SyncTarget, string>();

  function enqueue(target: SyncTarget, generation: string | undefined, names: readonly string[]): void {
    if (generation !== undefined) enqueued.set(target, generation);
    // With several directories a file's name alone would be ambiguous.
    queue.enqueue(targets.length === 1 ? names : names.map((name) => `${target.directory}/${name}`));
  }

  function addStored(target: SyncTarget): void {
    const { generation, files } = target.pendingNotification();
    enqueue(target, generation, files);
  }

  function clearDelivered(): void {
    if (!queue.isDrained()) return;
    // Not what was published since: its names are not in the queue yet.
    for (const [target, generation] of enqueued) target.clearPendingNotification(generation);
  }

  async function tryClear(): Promise<void> {
    try {
      clearDelivered();
      for (const target of targets) await target.removeReplaced();
    } catch (error) {
      // No caller is waiting; the next sync tries again, and fails with the reason.
      if (!(error instanceof Problem)) throw error;
    }
  }

  for (const target of targets) addStored(target);
  return { queue, add: enqueue, addStored, clearDelivered };
}
