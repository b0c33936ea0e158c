/**
 * One sync: fetches for every config at once, publishes each, and enqueues the notifications.
 *
 * Configs are independent: one that fails does not delay the others. The sync fails with the problems of all. Pending names
 * are stored with the files until every notifier has delivered them; so a process that replaces a killed one delivers at once
 * what the killed one did not deliver, even while AWS is unavailable, and repeats nothing that all notifiers delivered.
 */

import { createFetcher, type Fetcher } from '../aws/fetcher.ts';
import type { Plan } from '../config/plan.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { distinct, Problem, problemsOrThrow, throwProblems } from '../core/problem.ts';
import { plural } from '../core/text.ts';
import type { Notifier } from '../notify/notifier.ts';
import {
  createNotificationQueue,
  type NotificationQueue,
  type NotificationQueueOptions,
} from '../notify/queue.ts';
import { type Changed, changedPaths, type Snapshot } from '../publish/snapshot.ts';
import type { Phase } from './backoff.ts';
import type { SyncTarget, TargetPublished } from './target.ts';

/** Syncs, and the queue that they hand their changes to. */
export interface Sync {
  readonly queue: NotificationQueue;
  /** One sync of every config. Throws the problems of those that failed; rejects with the reason of `stop`. */
  sync(phase: Phase, stop: AbortSignal): Promise<void>;
}

/** Applies the Kubernetes Secrets of a plan; throws Problems of stage `kubernetes`. */
export type ApplySecrets = (plan: Plan, published: Snapshot, stop: AbortSignal) => Promise<void>;

/** Counts the result of each config's part of a sync. */
export type CountSync = (result: 'changed' | 'unchanged' | 'failed') => void;

/** What a sync works with. */
export interface SyncOptions {
  readonly targets: readonly SyncTarget[];
  readonly notifiers: readonly Notifier[];
  /** The longest random wait before a notification, in milliseconds. */
  readonly splay: number;
  /** undefined: no Kubernetes Secrets are applied. */
  readonly applySecrets: ApplySecrets | undefined;
  readonly fetcher?: Fetcher;
  readonly clock: Clock;
  readonly log: Log;
  readonly countSync: CountSync;
  readonly countNotification: NotificationQueueOptions['count'];
}

/** Enqueues at once what an earlier process left pending. Throws a Problem when a directory cannot be read. */
export function createSync(options: SyncOptions): Sync {
  const { targets, clock, log, countSync } = options;
  const fetcher = options.fetcher ?? createFetcher();
  const queue = createNotificationQueue({
    ...options,
    count: options.countNotification,
    onDrained: () => void tryClearPending(),
  });

  /** For each target the generation whose names are in the queue, or were delivered. */
  const enqueued = new Map<SyncTarget, string>();

  function enqueue(target: SyncTarget, generation: string | undefined, names: readonly string[]): void {
    if (generation !== undefined) enqueued.set(target, generation);
    // With several directories a file's name alone would be ambiguous.
    queue.enqueue(targets.length === 1 ? names : names.map((name) => `${target.directory}/${name}`));
  }

  function clearPending(): void {
    if (!queue.isDrained()) return;
    // Not what was published since: its names are not in the queue yet.
    for (const [target, generation] of enqueued) target.clearPendingNotification(generation);
  }

  async function tryClearPending(): Promise<void> {
    try {
      clearPending();
      for (const target of targets) await target.removeReplaced();
    } catch (error) {
      // No caller is waiting; the next sync tries again, and fails with the reason.
      if (!(error instanceof Problem)) throw error;
    }
  }

  async function syncTarget(
    target: SyncTarget,
    results: Parameters<SyncTarget['renderFiles']>[0],
    startedAt: number,
    stop: AbortSignal,
  ): Promise<void> {
    const rendered = await target.renderFiles(results);
    const published = await target.publish(rendered);
    enqueue(target, published.generation, published.pending);
    const { snapshot } = rendered;
    countSync(published.change.kind);
    logPublish(log, target, published, snapshot.files.length, clock.elapsed() - startedAt);
    await options.applySecrets?.(target.plan(), snapshot, stop);
    await target.recordSecrets(published.generation);
  }

  /** The problems with which the work failed, recorded and counted; none if it succeeded. */
  async function problemsIn(target: SyncTarget, work: Promise<void>): Promise<readonly Problem[]> {
    try {
      await work;
      return [];
    } catch (error) {
      const found = problemsOrThrow(error);
      target.recordFailure(found);
      if (found.some(({ stage }) => stage !== 'kubernetes')) countSync('failed');
      return found;
    }
  }

  for (const target of targets) {
    const { generation, files } = target.pendingNotification();
    enqueue(target, generation, files);
  }
  return {
    queue,
    async sync(phase, stop) {
      const startedAt = clock.elapsed();
      const requests = targets.map((target) => target.fetchRequest(phase));
      const results = await fetcher.fetch(requests, stop);
      const problems: Problem[] = [];
      for (const [index, target] of targets.entries()) {
        problems.push(
          ...(await problemsIn(target, syncTarget(target, results[index] ?? new Map(), startedAt, stop))),
          ...(await problemsIn(target, target.removeReplaced())),
        );
      }
      throwProblems(distinct(problems));
      clearPending();
    },
  };
}

/** Logs what a publish changed. */
export function logPublish(
  log: Log,
  target: SyncTarget,
  { change, isFirst, variables }: TargetPublished,
  files: number,
  ms: number,
): void {
  const { directory } = target;
  const fields = { config: target.plan().file, directory, files, variables, ms: Math.round(ms) };
  if (change.kind === 'changed') {
    const text = `published ${plural(files, 'file')} in ${directory}: ${changeCounts(change)}`;
    const counts = {
      added: change.added.length,
      updated: change.updated.length,
      removed: change.removed.length,
    };
    log.write('publish.changed', text, {
      ...fields,
      ...counts,
      names: changedPaths(change).join(' '),
    });
  } else if (isFirst) {
    log.write('publish.verified', `files in ${directory} are up to date`, fields);
  } else {
    log.write('publish.unchanged', `nothing changed in ${directory}`, fields);
  }
}

function changeCounts(change: Changed): string {
  const parts = (['added', 'updated', 'removed'] as const).map((kind) => `${change[kind].length} ${kind}`);
  return parts.filter((part) => !part.startsWith('0 ')).join(', ');
}
