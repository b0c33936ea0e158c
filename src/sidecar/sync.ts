/**
 * What a pass is: fetch for every config in one go, publish each, tell the application.
 *
 * Configs are independent: one that fails does not hold up the others. The pass fails with the problems of all.
 */

import type { Fetcher } from '../aws/fetcher.ts';
import type { Plan } from '../config/plan.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { distinct, type Problem, problemsOrThrow, throwProblems } from '../core/problem.ts';
import { plural } from '../core/text.ts';
import { changedPaths } from '../notify/pending-names.ts';
import type { Changed, Snapshot } from '../publish/snapshot.ts';
import type { Phase } from './backoff.ts';
import type { Published, SyncTarget } from './target.ts';

/** What a pass works with. */
export interface SyncContext {
  readonly targets: readonly SyncTarget[];
  readonly fetcher: Fetcher;
  /** Tells the application about a change; returns at once. */
  readonly notify: (target: SyncTarget, change: Changed) => void;
  /** Applies the Kubernetes Secrets of a plan; throws Problems of stage `kubernetes`. Absent: none are applied. */
  readonly applySecrets: ((plan: Plan, published: Snapshot, stop: AbortSignal) => Promise<void>) | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Counts each publication's part of a pass. */
  readonly count: (result: 'changed' | 'unchanged' | 'failed') => void;
}

/** One pass over every config. Throws the problems of those that failed; rejects with the reason of `stop`. */
export async function syncAll(options: SyncContext, phase: Phase, stop: AbortSignal): Promise<void> {
  const { targets, fetcher, notify, clock } = options;
  const startedAt = clock.elapsed();
  const outcomes = await fetcher.fetch(
    targets.map((target) => target.fetchRequest(phase)),
    stop,
  );
  const problems: Problem[] = [];
  for (const [index, target] of targets.entries()) {
    try {
      const rendered = await target.renderFiles(outcomes[index] ?? new Map());
      // Published and told in one go: in between, what was told before could let this be forgotten with it.
      const published = target.publish(rendered);
      if (published.notify !== undefined) notify(target, published.notify);
      const { snapshot } = rendered;
      report(options, target, published, snapshot.files.length, clock.elapsed() - startedAt);
      await options.applySecrets?.(target.plan(), snapshot, stop);
      target.recordSecrets();
    } catch (error) {
      const found = problemsOrThrow(error);
      target.recordFailure(found);
      if (found.some(({ stage }) => stage !== 'kubernetes')) options.count('failed');
      problems.push(...found);
    }
  }
  throwProblems(distinct(problems));
}

/** Counts it, and says what changed. */
function report(
  { log, count }: SyncContext,
  target: SyncTarget,
  { change, first }: Published,
  files: number,
  ms: number,
): void {
  const { directory } = target;
  const fields = { config: target.plan().file, directory, files, ms: Math.round(ms) };
  if (change.kind === 'changed') {
    count('changed');
    log.write(
      'publish.changed',
      `published ${plural(files, 'file')} in ${directory}: ${changeCounts(change)}`,
      {
        ...fields,
        added: change.added.length,
        updated: change.updated.length,
        removed: change.removed.length,
        names: changedPaths(change).join(' '),
      },
    );
  } else {
    count('unchanged');
    if (first) log.write('publish.verified', `the files in ${directory} are as they should be`, fields);
    else log.write('publish.unchanged', `nothing changed in ${directory}`, fields);
  }
}

function changeCounts(change: Changed): string {
  const parts = (['added', 'updated', 'removed'] as const).map((kind) => `${change[kind].length} ${kind}`);
  return parts.filter((part) => !part.startsWith('0 ')).join(', ');
}
