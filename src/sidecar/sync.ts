/**
 * One sync as the process that lives on sees it: gives a worker its request, and acts on its report.
 *
 * Configs are independent: one that fails does not delay the others. The sync fails with the problems of all. Pending names
 * are stored with the files until every notifier has delivered them; so a process that replaces a killed one delivers at once
 * what the killed one did not deliver, even while AWS is unavailable, and repeats nothing that all notifiers delivered. The
 * same holds for a worker that is killed between its publish and its report.
 */

import type { ApiMeter } from '../aws/client.ts';
import type { CredentialsInUse } from '../aws/sources.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { distinct, Problem, problemsOf, throwProblems } from '../core/problem.ts';
import type { Notifier } from '../notify/notifier.ts';
import {
  createNotificationQueue,
  type NotificationQueue,
  type NotificationQueueOptions,
} from '../notify/queue.ts';
import { createProblemReader } from '../worker/problem-fields.ts';
import type { MessageOf, SyncMessage } from '../worker/report.ts';
import type { Phase, RunSync, SyncRequest } from '../worker/request.ts';
import { logPublish } from './publish-log.ts';
import type { ReloadResult, SyncTarget } from './target.ts';

/** Syncs, and the queue that they hand their changes to. */
export interface Sync {
  readonly queue: NotificationQueue;
  /** One sync of every config. Throws the problems of those that failed; rejects with the reason of `stop`. */
  sync(phase: Phase, stop: AbortSignal): Promise<void>;
  /** Resolves when every directory holds a complete generation, perhaps before the first sync has ended. */
  whenReady(): Promise<void>;
  /** Reads the configs again; whether one differs from what the last sync was given. */
  reload(): boolean;
  /** The credentials that expire first; undefined before a sync had any. */
  credentials(): CredentialsInUse | undefined;
  /** Reads the configs, and nothing else. Throws their problems. */
  check(stop: AbortSignal): Promise<void>;
  /** Whether a Kubernetes Secret is not as it was applied; false during a sync. Throws Problems. */
  areSecretsLost(stop: AbortSignal): Promise<boolean>;
}

/** Counts the result of each config's part of a sync. */
export type CountSync = (result: 'changed' | 'unchanged' | 'failed') => void;

/** What a sync works with. */
export interface SyncOptions {
  readonly targets: readonly SyncTarget[];
  /** Does the work: in this process, or in a worker. */
  readonly runSync: RunSync;
  readonly notifiers: readonly Notifier[];
  /** The longest random wait before a notification, in milliseconds. */
  readonly splay: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: ApiMeter;
  readonly countSync: CountSync;
  readonly countReload: (result: ReloadResult) => void;
  readonly countNotification: NotificationQueueOptions['count'];
}

/** Enqueues at once what an earlier process left pending. Throws a Problem when a directory cannot be read. */
export function createSync(options: SyncOptions): Sync {
  const { targets, clock, log } = options;
  const queue = createNotificationQueue({
    ...options,
    count: options.countNotification,
    onDrained: tryClearPending,
  });
  const batchesRefused: Record<string, number> = {};
  const ready = Promise.withResolvers<void>();
  let credentials: CredentialsInUse | undefined;
  let isSyncing = false;

  /** With several directories a file's name alone would be ambiguous. */
  function enqueue({ directory }: SyncTarget, names: readonly string[]): void {
    queue.enqueue(targets.length === 1 ? names : names.map((name) => `${directory}/${name}`));
  }

  /** Not during a sync: the names of a publish that was not reported yet would be cleared too. */
  function clearPending(): void {
    if (isSyncing || !queue.isDrained()) return;
    for (const target of targets) target.clearPendingNotification();
  }

  function tryClearPending(): void {
    try {
      clearPending();
    } catch (error) {
      // No caller is waiting; the next sync tries again, and fails with the reason.
      if (!(error instanceof Problem)) throw error;
    }
  }

  function requestOf(work: SyncRequest['work'], phase: Phase): SyncRequest {
    return { work, phase, configs: targets.map((target) => target.request()), batchesRefused };
  }

  /** What one run of a worker reported so far. */
  interface Run {
    readonly startedAt: number;
    readonly problemOf: ReturnType<typeof createProblemReader>;
    readonly problems: Problem[];
    /** Configs that have published or failed. */
    readonly reported: Set<number>;
    stage: MessageOf<'stage'> | undefined;
  }

  function receive(run: Run, message: SyncMessage): void {
    const { problemOf, problems } = run;
    switch (message.kind) {
      case 'log':
        log.write(message.event, message.message, message.fields);
        break;
      case 'logProblem':
        log.problem(message.event, problemOf(message.problem), message.fields);
        break;
      case 'stage':
        run.stage = message;
        break;
      case 'unusable':
        problems.push(...message.problems.map(problemOf));
        break;
      case 'edited': {
        const result = targetOf(message).edited(message);
        if (result !== undefined) options.countReload(result);
        break;
      }
      case 'plan':
        targetOf(message).planned(message);
        break;
      case 'apiCall':
        options.meter.apiCall(message.service, message.operation, message.region, message.result);
        break;
      case 'credentials': {
        const { source, servedBy, expiresAt } = message;
        credentials = { source, servedBy, expiresAt };
        break;
      }
      case 'published':
        published(run, message);
        break;
      case 'applied':
        targetOf(message).applied();
        break;
      case 'failed':
        failed(run, message.config, message.problems.map(problemOf));
        break;
      case 'secretsLost':
        break;
      case 'batchesRefused':
        batchesRefused[message.identity] = message.until;
        break;
      case 'bug':
        problems.push(bugProblem(message.line));
        break;
      default:
        message satisfies never;
    }
    if (targets.every((target) => target.isReady())) ready.resolve();
  }

  function targetOf({ config }: { readonly config: number }): SyncTarget {
    const target = targets[config];
    if (target === undefined) throw new Error(`a message about config ${config} of ${targets.length}`);
    return target;
  }

  function published(run: Run, message: MessageOf<'published'>): void {
    const target = targetOf(message);
    run.reported.add(message.config);
    const isFirst = target.published(message);
    enqueue(target, message.pending);
    options.countSync(message.result);
    logPublish(log, target, message, isFirst, clock.elapsed() - run.startedAt);
  }

  function failed(run: Run, config: number, problems: readonly Problem[]): void {
    run.reported.add(config);
    targetOf({ config }).failed(problems);
    if (problems.some(({ stage }) => stage !== 'kubernetes')) options.countSync('failed');
    run.problems.push(...problems);
  }

  /** Runs a worker to its end; returns what it reported, with the problem of the worker if it did not finish. */
  async function work(kind: SyncRequest['work'], phase: Phase, stop: AbortSignal): Promise<Run> {
    const run: Run = {
      startedAt: clock.elapsed(),
      problemOf: createProblemReader(),
      problems: [],
      reported: new Set(),
      stage: undefined,
    };
    let killed: Problem | undefined;
    try {
      await options.runSync(requestOf(kind, phase), (message) => receive(run, message), stop);
    } catch (error) {
      [killed] = problemsOf(error) ?? [];
      if (killed === undefined) throw error;
      if (kind === 'sync') workerKilled(run, killed);
      else run.problems.push(killed);
    }
    const isOfConfig = run.stage?.stage === 'config' || run.stage?.stage === 'render';
    for (const [config, target] of targets.entries())
      target.ended(isOfConfig && run.stage?.config === config ? killed : undefined);
    return run;
  }

  /** A publish that was not reported is in the directory: its files, and the names to notify the application of. */
  function workerKilled(run: Run, killed: Problem): void {
    for (const [config, target] of targets.entries()) {
      if (!run.reported.has(config)) failed(run, config, [killed]);
      enqueue(target, target.pendingNotification());
    }
  }

  for (const target of targets) enqueue(target, target.pendingNotification());
  return {
    queue,
    async sync(phase, stop) {
      isSyncing = true;
      try {
        const run = await work('sync', phase, stop);
        throwProblems(distinct(run.problems));
      } catch (error) {
        isSyncing = false;
        tryClearPending();
        throw error;
      }
      isSyncing = false;
      clearPending();
    },
    whenReady: () => ready.promise,
    reload() {
      const reloads = targets.map((target) => target.reload());
      for (const { result } of reloads) if (result !== undefined) options.countReload(result);
      return reloads.some(({ differs }) => differs);
    },
    credentials: () => credentials,
    async check(stop) {
      throwProblems((await work('plan', 'start', stop)).problems);
    },
    async areSecretsLost(stop) {
      if (isSyncing) return false;
      let isLost = false;
      const configs = targets.map((target) => target.inUse());
      const onMessage = ({ kind }: SyncMessage): void => {
        if (kind === 'secretsLost') isLost = true;
      };
      await options.runSync({ work: 'secrets', phase: 'steady', configs, batchesRefused }, onMessage, stop);
      return isLost;
    },
  };
}

/** A bug in the worker; the process that lives on goes on. */
function bugProblem(line: string): Problem {
  return new Problem({
    code: 'sync.killed',
    subject: 'sync',
    message: `its process ended because of ${line}`,
    remedy: 'Report this line.',
  });
}
