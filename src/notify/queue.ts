/**
 * Tells the application, and keeps trying until it has been told.
 *
 * Each notifier goes its own way: a slow or failing one delays neither the others nor the next sync. It is told at least
 * once about every change and always about the newest set; changes that come while it is busy are merged into one. After
 * a failure it is tried again, for ever; a failure that repeats itself is logged once and then at `debug`.
 */

import { durationText } from '../cli/values.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { Problem, type ProblemCode, problemLine, problemsOrThrow, throwProblems } from '../core/problem.ts';
import type { Changed } from '../publish/snapshot.ts';
import { momentText, type NotifierStatus, problemStatus } from '../sidecar/status.ts';
import type { Notifier } from './notifier.ts';
import { changedPaths, mergeChanges, notifyBackoff } from './pending-names.ts';

/** All notifiers, and what each of them owes. */
export interface NotificationQueue {
  /** Starts telling about a publish that changed something; returns at once, whatever comes of it. */
  enqueue(change: Changed): void;
  /**
   * Resolves when every notifier has told everything. Throws the problems of those that have not after `limit` milliseconds,
   * not counting the splay, or as soon as none is left that trying again could help; rejects with the reason of `stop`.
   */
  drain(limit: number, stop: AbortSignal): Promise<void>;
  /**
   * Ends telling. What waits for its splay is told now, what is being told may end within `grace` milliseconds, what waits
   * to be tried again is given up. Resolves when nothing runs any more.
   */
  close(grace: number): Promise<void>;
  /** Every notifier has told everything. */
  isDrained(): boolean;
  status(): readonly NotifierStatus[];
}

/** Who tells, and how it is told of. */
export interface NotificationQueueOptions {
  readonly notifiers: readonly Notifier[];
  readonly clock: Clock;
  readonly log: Log;
  /** The longest random wait before telling, in milliseconds; each notifier draws its own. */
  readonly splay: number;
  /** Counts every try. */
  readonly count: (kind: Notifier['kind'], result: 'success' | 'error') => void;
  /** Called whenever the last of the notifiers has told everything. */
  readonly onDrained?: () => void;
}

/** A teller with nothing to tell yet. */
export function createNotificationQueue(options: NotificationQueueOptions): NotificationQueue {
  const { clock, splay } = options;
  /** Aborted when the program ends: no new wait begins, and those that have begun end. */
  const closing = new AbortController();
  /** Aborted when the grace is over: what is being told ends at once. */
  const cancelled = new AbortController();
  let changed = Promise.withResolvers<void>();
  const isDrained = (): boolean => queues.every((queue) => queue.isDrained());
  const wakeWaiters = (): void => {
    if (isDrained()) options.onDrained?.();
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const queues = options.notifiers.map((notifier) =>
    createNotifierQueue(notifier, options, closing.signal, cancelled.signal, wakeWaiters),
  );

  return {
    enqueue(change) {
      for (const queue of queues) queue.enqueue(change);
    },

    async drain(limit, stop) {
      const end = new AbortController();
      const timeout = clock.sleep(splay + limit, AbortSignal.any([stop, end.signal])).then(() => true);
      timeout.catch(() => {});
      try {
        for (let timedOut = false; !timedOut && queues.some((queue) => queue.canRetry()); ) {
          timedOut = await Promise.race([timeout, changed.promise.then(() => false)]);
        }
      } finally {
        end.abort();
      }
      throwProblems(queues.flatMap((queue) => queue.pendingProblems(limit)));
    },

    async close(grace) {
      closing.abort();
      const end = new AbortController();
      const all = Promise.all(queues.map((queue) => queue.done())).finally(() => end.abort());
      await Promise.race([all, clock.sleep(grace, end.signal).catch(() => {})]);
      cancelled.abort();
      await all;
    },

    isDrained,
    status: () => queues.map((queue) => queue.status()),
  };
}

/** One notifier and what it owes. */
interface NotifierQueue {
  enqueue(change: Changed): void;
  done(): Promise<void>;
  /** It owes nothing. */
  isDrained(): boolean;
  /** It owes something, and trying again may help. */
  canRetry(): boolean;
  /** Why it still owes something after `limit` milliseconds; nothing when it does not. */
  pendingProblems(limit: number): readonly Problem[];
  status(): NotifierStatus;
}

function createNotifierQueue(
  notifier: Notifier,
  { clock, log, splay, count }: NotificationQueueOptions,
  closing: AbortSignal,
  cancelled: AbortSignal,
  wakeWaiters: () => void,
): NotifierQueue {
  const { kind } = notifier;
  let pending: Changed | undefined;
  let inFlight: Changed | undefined;
  let busy = false;
  let end: Promise<void> = Promise.resolve();
  let failures = 0;
  let problem: Problem | undefined;
  let lastNotified: number | undefined;
  let lastFailure: { readonly at: number; readonly problem: Problem } | undefined;

  async function run(): Promise<void> {
    try {
      while (pending !== undefined && !cancelled.aborted) {
        if (failures === 0 && splay > 0) await pause(clock.random() * splay);
        if (!(await attempt())) {
          if (closing.aborted) return;
          await pause(notifyBackoff(failures, clock.random(), problem?.retryAfter));
          if (closing.aborted) return;
        }
      }
    } finally {
      busy = false;
      wakeWaiters();
    }
  }

  /** Waits, but not into the end of the program. */
  async function pause(ms: number): Promise<void> {
    await clock.sleep(ms, closing).catch(() => {});
  }

  /** One try, about all that is untold at its start. */
  async function attempt(): Promise<boolean> {
    const change = pending;
    if (change === undefined) return true;
    const began = clock.elapsed();
    inFlight = change;
    pending = undefined;
    try {
      await notifier.notify(change, cancelled);
      succeeded(change, clock.elapsed() - began);
      return true;
    } catch (error) {
      pending = pending === undefined ? change : mergeChanges(change, pending);
      if (!cancelled.aborted) failed(change, error);
      return false;
    } finally {
      inFlight = undefined;
      wakeWaiters();
    }
  }

  function succeeded(change: Changed, ms: number): void {
    count(kind, 'success');
    log.write('notify.succeeded', `told the application by ${kind}`, {
      notifier: kind,
      files: changedPaths(change).length,
      attempts: failures + 1,
      ms: Math.round(ms),
    });
    failures = 0;
    problem = undefined;
    lastNotified = clock.now();
  }

  function failed(change: Changed, error: unknown): void {
    const [found] = problemsOrThrow(error);
    const repeated = problem !== undefined && withoutNumbers(problem) === withoutNumbers(found);
    problem = found;
    failures++;
    lastFailure = { at: clock.now(), problem: found };
    count(kind, 'error');
    const fields = { notifier: kind, files: changedPaths(change).length, attempts: failures };
    if (repeated) log.problem('notify.failedAgain', found, fields);
    else log.problem('notify.failed', found, fields);
  }

  return {
    enqueue(change) {
      pending = pending === undefined ? change : mergeChanges(pending, change);
      if (busy || closing.aborted) return;
      busy = true;
      end = run();
    },

    done: () => end,

    isDrained: () => pending === undefined && inFlight === undefined,

    canRetry: () => busy && (problem === undefined || problem.retry),

    pendingProblems(limit) {
      if (!busy) return [];
      return [problem ?? unfinished(kind, limit)];
    },

    status: () => ({
      kind,
      state: inFlight !== undefined ? 'notifying' : busy ? 'waiting' : 'idle',
      pending: new Set(
        [inFlight, pending].flatMap((change) => (change === undefined ? [] : changedPaths(change))),
      ).size,
      consecutiveFailures: failures,
      ...(lastNotified === undefined ? {} : { lastNotified: momentText(lastNotified) }),
      ...(lastFailure === undefined
        ? {}
        : { lastFailure: momentText(lastFailure.at), lastError: problemStatus(lastFailure.problem) }),
    }),
  };
}

/** Alike but for its numbers: the output of a hook may begin with the time of day. */
function withoutNumbers(problem: Problem): string {
  return problemLine(problem).replace(/\d+/g, '0');
}

function unfinished(kind: Notifier['kind'], limit: number): Problem {
  return new Problem({
    code: `notify.${kind}` satisfies ProblemCode,
    subject: `--notify-${kind}`,
    message: `expected the application to be told within ${durationText(limit)}, got no end of it`,
    remedy: 'Make what is told quicker; see its own log.',
    retry: true,
  });
}
