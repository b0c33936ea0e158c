/**
 * One sync in the process of the sidecar: passes a request to a worker, and processes its report.
 *
 * Configs are independent: one that fails does not delay the others, even if every worker is killed while it renders that one.
 * The sync fails with the problems of all. What a killed worker published without a report is found in the directory.
 */

import type { ApiMeter } from '../aws/client.ts';
import type { CredentialsInUse } from '../aws/sources.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { EventName } from '../core/log-events.ts';
import { distinct, type Problem, problemsOf, problemsOrThrow, throwProblems } from '../core/problem.ts';
import { createProblemReader } from '../core/problem-fields.ts';
import type { Notifier } from '../notify/notifier.ts';
import type { NotificationQueue, NotificationQueueOptions } from '../notify/queue.ts';
import type { MessageOf, SyncMessage } from '../worker/report.ts';
import type { Phase, RunSync, SyncRequest } from '../worker/request.ts';
import { logPublish } from './publish-log.ts';
import type { ReloadResult, SyncTarget } from './target.ts';
import { createUndelivered } from './undelivered.ts';

/** Syncs, and the queue for their changes. */
export interface Sync {
  readonly queue: NotificationQueue;
  /** One sync of every config. Throws the problems of those that failed; rejects with the reason of `stop`. */
  sync(phase: Phase, stop: AbortSignal): Promise<void>;
  /** Resolves when every directory has a complete generation, possibly before the first sync has ended. */
  whenReady(): Promise<void>;
  /** Reads the configs again; returns whether one differs from that of the last sync. */
  reload(): boolean;
  /** The credentials that expire first; undefined before a sync had any. */
  credentials(): CredentialsInUse | undefined;
  /** Whether a Kubernetes Secret is not as it was applied; false during a sync. Throws Problems. */
  areSecretsStale(stop: AbortSignal): Promise<boolean>;
}

/** Counts the result of each config's part of a sync. */
export type CountSync = (result: 'changed' | 'unchanged' | 'failed') => void;

/** The dependencies of a sync. */
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
  /** The files of a target changed since an earlier publish of this process. */
  readonly onChange?: (() => void) | undefined;
}

/** Enqueues at once what an earlier process left pending. Throws a Problem if a directory cannot be read. */
export function createSync(options: SyncOptions): Sync {
  const { targets, clock, log } = options;
  const undelivered = createUndelivered(targets, { ...options, count: options.countNotification });
  const batchesDisabled: Record<string, number> = {};
  const ready = Promise.withResolvers<void>();
  let credentials: CredentialsInUse | undefined;
  let identities: ReadonlySet<string> = new Set();
  let isSyncing = false;

  /** For each target the generation of its last publish in this process. */
  const generations = new Map<SyncTarget, string>();
  /**
   * Configs with which a worker was killed after the fetch: a new value may be the cause, so they come after all others, the
   * last one of these last, until a worker has finished them.
   */
  const renderLast = new Set<number>();

  function requestOf(work: SyncRequest['work'], phase: Phase): SyncRequest {
    const configs = targets.map((target) => target.request());
    return { work, phase, configs, renderLast: [...renderLast], batchesDisabled };
  }

  /** The report of one worker so far. */
  interface Run {
    readonly startedAt: number;
    readonly problemOf: ReturnType<typeof createProblemReader>;
    readonly problems: Problem[];
    /** Configs that have published or failed. */
    readonly reported: Set<number>;
    /** The authentication method, as logged. */
    readonly identities: Set<string>;
    stage: MessageOf<'stage'> | undefined;
  }

  function receive(run: Run, message: SyncMessage): void {
    const { problemOf, problems } = run;
    switch (message.kind) {
      case 'log':
        if (shouldLog(run, message.event, message.message))
          log.write(message.event, message.message, message.fields);
        break;
      case 'logProblem':
        if (shouldLog(run, message.event, message.problem.message))
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
        const { source, provider, expiresAt } = message;
        credentials = { source, provider, expiresAt };
        break;
      }
      case 'published':
        published(run, message);
        break;
      case 'fetched':
        run.reported.add(message.config);
        targetOf(message).fetched(message);
        options.countSync(message.result);
        break;
      case 'applied':
        targetOf(message).applied();
        break;
      case 'failed':
        renderLast.delete(message.config);
        failed(run, message.config, message.problems.map(problemOf));
        break;
      case 'batchesDisabled':
        batchesDisabled[message.identity] = message.until;
        break;
      case 'secretsStale':
      case 'bug':
      case 'waiting':
        break;
      default:
        message satisfies never;
    }
    if (targets.every((target) => target.isReady())) ready.resolve();
  }

  /** Whether to log the message: each worker reports its authentication method, which is logged only if it changed. */
  function shouldLog(run: Run, event: EventName, message: string): boolean {
    if (event !== 'credentials.source' && event !== 'credentials.nodeRole') return true;
    run.identities.add(message);
    return !identities.has(message);
  }

  function targetOf({ config }: { readonly config: number }): SyncTarget {
    const target = targets[config];
    if (target === undefined) throw new Error(`a message about config ${config} of ${targets.length}`);
    return target;
  }

  function published(run: Run, message: MessageOf<'published'>): void {
    const target = targetOf(message);
    run.reported.add(message.config);
    renderLast.delete(message.config);
    const isFirst = target.published(message);
    undelivered.add(target, message.generation, message.pending);
    // Also a publish that a killed worker could not report.
    const before = generations.get(target);
    generations.set(target, message.generation);
    if (before !== undefined && before !== message.generation) options.onChange?.();
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
      identities: new Set(),
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
    if (run.identities.size > 0) ({ identities } = run);
    const { stage, config: current } = run.stage ?? {};
    if (killed !== undefined && current !== undefined && stage !== 'config') {
      renderLast.delete(current);
      renderLast.add(current);
    }
    const isOfConfig = stage === 'config' || stage === 'render';
    for (const [config, target] of targets.entries())
      target.ended(isOfConfig && current === config ? killed : undefined);
    return run;
  }

  async function removeReplaced(run: Run, config: number): Promise<void> {
    try {
      await targetOf({ config }).removeReplaced();
    } catch (error) {
      failed(run, config, problemsOrThrow(error));
    }
  }

  /** A publish that was not reported is in the directory: its files, and the names to notify the application of. */
  function workerKilled(run: Run, killed: Problem): void {
    for (const [config, target] of targets.entries()) {
      const problems = [killed];
      try {
        undelivered.addStored(target);
      } catch (error) {
        // In addition to the problem of the worker, which may be its cause.
        problems.push(...problemsOrThrow(error));
      }
      if (run.reported.has(config) && problems.length === 1) run.problems.push(killed);
      else failed(run, config, problems);
    }
  }

  return {
    queue: undelivered.queue,
    async sync(phase, stop) {
      isSyncing = true;
      try {
        const run = await work('sync', phase, stop);
        for (const config of targets.keys()) await removeReplaced(run, config);
        throwProblems(distinct(run.problems));
        undelivered.clearDelivered();
      } finally {
        isSyncing = false;
      }
    },
    whenReady: () => ready.promise,
    reload() {
      const reloads = targets.map((target) => target.reload());
      for (const { result } of reloads) if (result !== undefined) options.countReload(result);
      return reloads.some(({ differs }) => differs);
    },
    credentials: () => credentials,
    async areSecretsStale(stop) {
      if (isSyncing) return false;
      let isStale = false;
      const configs = targets.map((target) => target.inUse());
      const request: SyncRequest = {
        work: 'secrets',
        phase: 'steady',
        configs,
        renderLast: [],
        batchesDisabled,
      };
      const onMessage = ({ kind }: SyncMessage): void => {
        if (kind === 'secretsStale') isStale = true;
      };
      await options.runSync(request, onMessage, stop);
      return isStale;
    },
  };
}
