/**
 * Queues notifications and delivers them with retries.
 *
 * Each notifier has its own queue, so a slow or failing notifier delays neither the others nor the next sync. Delivery is at
 * least once and always after the newest publish; changes that arrive while a notifier is busy are merged into one set of
 * names. A failed attempt is retried indefinitely; a failure that repeats is logged once and then at `debug`.
 */

import { durationText } from '../cli/values.ts';
import { backoff } from '../core/backoff.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { Problem, type ProblemCode, problemLine, problemsOrThrow, throwProblems } from '../core/problem.ts';
import { timeText } from '../core/text.ts';
import type { Notifier, NotifierKind, NotifierStatus } from './notifier.ts';

/** The queues of all notifiers. */
export interface NotificationQueue {
  /** Adds these changed files to every queue; returns at once and never fails. */
  enqueue(names: readonly string[]): void;
  /**
   * Resolves when every notifier has delivered. Throws the problems of those that have not after `timeout` milliseconds, not
   * counting the splay, or as soon as no retry can help; rejects with the reason of `stop`.
   */
  drain(timeout: number, stop: AbortSignal): Promise<void>;
  /**
   * Ends delivery. What waits for its splay is delivered now, a running attempt may end within `grace` milliseconds (a request
   * within 0.7 s, because its host name may never be resolved), a retry that waits is dropped. Resolves when nothing runs any more.
   */
  close(grace: number): Promise<void>;
  /** Every notifier has delivered everything. */
  isDrained(): boolean;
  status(): readonly NotifierStatus[];
}

/** The notifiers, and how deliveries are logged and counted. */
export interface NotificationQueueOptions {
  readonly notifiers: readonly Notifier[];
  readonly clock: Clock;
  readonly log: Log;
  /** The longest random wait before a delivery, in milliseconds; each notifier draws its own. */
  readonly splay: number;
  /** Counts every attempt. */
  readonly count: (kind: NotifierKind, result: 'success' | 'error') => void;
  /** Called whenever the last of the notifiers has delivered everything. */
  readonly onDrained?: () => void;
}

/** Empty queues. */
export function createNotificationQueue(options: NotificationQueueOptions): NotificationQueue {
  const { clock, splay } = options;
  /** Aborted when the program ends: no new wait begins, and those that have begun end. */
  const closing = new AbortController();
  let changed = Promise.withResolvers<void>();
  const isDrained = (): boolean => queues.every((queue) => queue.isDrained());
  const wakeWaiters = (): void => {
    if (isDrained()) options.onDrained?.();
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const queues = options.notifiers.map((notifier) =>
    createNotifierQueue(notifier, options, closing.signal, wakeWaiters),
  );

  return {
    enqueue(names) {
      for (const queue of queues) queue.enqueue(names);
    },

    async drain(timeout, stop) {
      const end = new AbortController();
      const expired = clock.sleep(splay + timeout, AbortSignal.any([stop, end.signal])).then(() => true);
      expired.catch(() => {});
      try {
        for (let timedOut = false; !timedOut && queues.some((queue) => queue.canRetry()); ) {
          timedOut = await Promise.race([expired, changed.promise.then(() => false)]);
        }
      } finally {
        end.abort();
      }
      throwProblems(queues.flatMap((queue) => queue.pendingProblems(timeout)));
    },

    async close(grace) {
      closing.abort();
      await Promise.all(queues.map((queue) => queue.close(grace)));
    },

    isDrained,
    status: () => queues.map((queue) => queue.status()),
  };
}

/** The queue of one notifier. */
interface NotifierQueue {
  enqueue(names: readonly string[]): void;
  /** Resolves when nothing runs any more: a running attempt is aborted after `grace` milliseconds. */
  close(grace: number): Promise<void>;
  /** Nothing is pending. */
  isDrained(): boolean;
  /** Something is pending, and a retry may help. */
  canRetry(): boolean;
  /** Why something is still pending after `timeout` milliseconds; empty when nothing is. */
  pendingProblems(timeout: number): readonly Problem[];
  status(): NotifierStatus;
}

/**
 * Between half and the whole of the limit: a notifier addresses one application, and its first retry must not come before a
 * restart can be over.
 */
const BACKOFF = { first: 2_000, max: 60_000, min: 0, jitter: 0.5 } as const;

/** The longest grace of a request, in milliseconds. */
const REQUEST_GRACE = 700;

function createNotifierQueue(
  notifier: Notifier,
  { clock, log, splay, count }: NotificationQueueOptions,
  closing: AbortSignal,
  wakeWaiters: () => void,
): NotifierQueue {
  const { kind } = notifier;
  /** Aborted when the grace is over. */
  const cancelling = new AbortController();
  const cancelled = cancelling.signal;
  let pending: readonly string[] = [];
  let inFlight: readonly string[] = [];
  let busy = false;
  let end: Promise<void> = Promise.resolve();
  let failures = 0;
  let problem: Problem | undefined;
  let lastNotified: number | undefined;
  let lastFailure: { readonly at: number; readonly problem: Problem } | undefined;

  async function run(): Promise<void> {
    try {
      while (pending.length > 0 && !cancelled.aborted) {
        if (failures === 0 && splay > 0) await pause(clock.random() * splay);
        if (!(await attempt())) {
          if (closing.aborted) return;
          const { retryAfter } = problem ?? {};
          await pause(backoff(BACKOFF, failures, clock.random(), { retryAfter }));
          if (closing.aborted) return;
        }
      }
    } finally {
      busy = false;
      wakeWaiters();
    }
  }

  /** Ends early when the program ends. */
  async function pause(ms: number): Promise<void> {
    await clock.sleep(ms, closing).catch(() => {});
  }

  /** One attempt, for all names that are pending at its start. */
  async function attempt(): Promise<boolean> {
    const names = pending;
    const began = clock.elapsed();
    inFlight = names;
    pending = [];
    try {
      await notifier.notify(names, cancelled);
      succeeded(names, clock.elapsed() - began);
      return true;
    } catch (error) {
      // The same list if nothing was added: a notifier can recognize the retry.
      pending = pending.length === 0 ? names : union(names, pending);
      if (!cancelled.aborted) failed(names, error);
      return false;
    } finally {
      inFlight = [];
      wakeWaiters();
    }
  }

  function succeeded(names: readonly string[], ms: number): void {
    count(kind, 'success');
    log.write('notify.succeeded', `notified the application (${kind})`, {
      notifier: kind,
      files: names.length,
      attempts: failures + 1,
      ms: Math.round(ms),
    });
    failures = 0;
    problem = undefined;
    lastNotified = clock.now();
  }

  function failed(names: readonly string[], error: unknown): void {
    const [found] = problemsOrThrow(error);
    const repeated = problem !== undefined && withoutNumbers(problem) === withoutNumbers(found);
    problem = found;
    failures++;
    lastFailure = { at: clock.now(), problem: found };
    count(kind, 'error');
    const fields = { notifier: kind, files: names.length, attempts: failures };
    if (repeated) log.problem('notify.failedAgain', found, fields);
    else log.problem('notify.failed', found, fields);
  }

  return {
    enqueue(names) {
      // A sync without a change: the list stays the same, so that a notifier can recognize the retry.
      if (names.length === 0) return;
      pending = union(pending, names);
      if (busy || closing.aborted) return;
      busy = true;
      end = run();
    },

    async close(grace) {
      const finished = new AbortController();
      const limit = kind === 'url' ? Math.min(grace, REQUEST_GRACE) : grace;
      const ended = end.finally(() => finished.abort());
      await Promise.race([ended, clock.sleep(limit, finished.signal).catch(() => {})]);
      cancelling.abort();
      await ended;
    },

    isDrained: () => pending.length === 0 && inFlight.length === 0,

    canRetry: () => busy && (problem === undefined || problem.retry),

    pendingProblems: (timeout) => (busy ? [problem ?? unfinished(kind, timeout)] : []),

    status: () => ({
      kind,
      state: inFlight.length > 0 ? 'notifying' : busy ? 'waiting' : 'idle',
      pending: union(inFlight, pending).length,
      consecutiveFailures: failures,
      lastNotified: lastNotified === undefined ? undefined : timeText(lastNotified),
      lastFailure: lastFailure === undefined ? undefined : timeText(lastFailure.at),
      lastError: lastFailure === undefined ? undefined : shown(lastFailure.problem),
    }),
  };
}

function union(some: readonly string[], others: readonly string[]): readonly string[] {
  return [...new Set([...some, ...others])].sort();
}

function shown({ code, subject, message, remedy }: Problem): NotifierStatus['lastError'] {
  return { code, subject, message, remedy };
}

/** Without its numbers, because the output of a hook may begin with the time of day. */
function withoutNumbers(problem: Problem): string {
  return problemLine(problem).replace(/\d+/g, '0');
}

function unfinished(kind: NotifierKind, timeout: number): Problem {
  return new Problem({
    code: `notify.${kind}` satisfies ProblemCode,
    subject: `--notify-${kind}`,
    message: `notification did not finish within ${durationText(timeout)}`,
    remedy: 'Make the notified program or endpoint faster; see its own log.',
    retry: true,
  });
}
