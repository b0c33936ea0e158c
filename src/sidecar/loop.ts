/**
 * When to sync: the first phase, then the steady phase until the sidecar stops.
 *
 * First phase: the pod is waiting. Transient failures (an agent that is not up yet, IAM changes that have not propagated,
 * throttling) are retried until the start timeout; any other ends the phase at once, with all problems. If an
 * earlier process left the files, there is no first phase, and an AWS outage does not end the sidecar: the application has
 * its files. Steady phase: only `stop` ends it. It refreshes at the interval, backs off after failures, never runs two
 * syncs at a time, and syncs at once when it is triggered.
 */

import { durationText } from '../cli/values.ts';
import type { Clock } from '../core/clock.ts';
import type { Log, LogFields } from '../core/log.ts';
import { groupByCause, namesText, type Problem, problemsOrThrow, type SharedCause } from '../core/problem.ts';
import type { Phase } from '../worker/request.ts';
import { refreshDelay, retryAfterOf, retryBudget, retryDelay } from './backoff.ts';
import type { Triggers } from './triggers.ts';

/** The options of the first phase. */
export interface FirstPhaseOptions {
  readonly clock: Clock;
  /** Milliseconds between refreshes. */
  readonly interval: number;
  /** One sync. Throws the problems of the configs that failed. */
  readonly sync: (phase: Phase, stop: AbortSignal) => Promise<void>;
  /** A sync of the first phase failed with transient problems; the next attempt is in `delay` milliseconds. */
  readonly onRetry: (problems: readonly Problem[], failures: number, delay: number) => void;
  /** Whether the files exist, so that the first phase cannot fail. */
  readonly isReady?: () => boolean;
}

/** The options of the loop. */
export interface LoopOptions extends Omit<FirstPhaseOptions, 'isReady'> {
  /** Milliseconds for the first phase. */
  readonly startTimeout: number;
  readonly triggers: Triggers;
  /** Resolves when every directory has a complete generation, possibly of an earlier process, before a sync has ended. */
  readonly whenReady: () => Promise<void>;
  /** Reads the configs again; returns whether one differs from that of the last sync. */
  readonly reload: () => boolean;
  /** Watches the configs; resolves when no later edit can be missed. */
  readonly watch: () => Promise<void>;
  /** The first phase is over, whether it failed or not. */
  readonly onStartOver?: (() => void) | undefined;
  /** The steady phase begins; its first sync is in `delay` milliseconds. */
  readonly onReady: (delay: number) => void;
  /** A sync of the steady phase succeeded; the next is in `delay` milliseconds. */
  readonly onSuccess: (delay: number) => void;
  /** A sync of the steady phase failed; the next is in `delay` milliseconds. */
  readonly onFailure: (problems: readonly Problem[], failures: number, delay: number) => void;
}

/** Syncs until `stop`. Rejects with its reason, with the problems of a first phase that failed, or with a bug. */
export async function runLoop(options: LoopOptions, stop: AbortSignal): Promise<never> {
  let isReady = false;
  let isOver = false;
  const ready = options.whenReady().then(() => {
    isReady = true;
  });
  const starting = firstPhase({ ...options, isReady: () => isReady }, options.startTimeout, stop);
  starting
    .catch(() => {})
    .finally(() => {
      isOver = true;
      options.onStartOver?.();
    });
  await Promise.race([ready, starting]);
  await options.watch();
  // Files of an earlier process exist, and the first sync is still running.
  const isEarly = isReady && !isOver;
  if (isEarly) options.onReady(0);
  const failure = await starting;
  // An edit before the watch began was not reported.
  const isEdited = options.reload();
  if (failure !== undefined) {
    if (!isEarly) options.onReady(0);
    const delay = backoffAfter(options, 'steady', failure, 1, options.onFailure);
    return await steadyPhase(options, isEdited ? 0 : delay, stop, 1);
  }
  // The jitter spreads the refreshes of pods that started together.
  const delay = isEdited ? 0 : refreshDelay(options.interval, options.clock.random());
  if (isEarly) options.onSuccess(delay);
  else options.onReady(delay);
  return await steadyPhase(options, delay, stop);
}

/**
 * Syncs until one succeeds. Throws its problems if they are permanent, or after `timeout` milliseconds. If the files
 * of an earlier process are there, the phase ends with the first sync: returns what that threw.
 */
export async function firstPhase(
  options: FirstPhaseOptions,
  timeout: number,
  stop: AbortSignal,
): Promise<unknown> {
  const startedAt = options.clock.elapsed();
  for (let failures = 1; ; failures++) {
    try {
      return await options.sync('start', stop);
    } catch (error) {
      stop.throwIfAborted();
      if (options.isReady?.() === true) return error;
      const left = startedAt + retryBudget(error, timeout) - options.clock.elapsed();
      if (left <= 0) throw error;
      const delay = backoffAfter(options, 'start', error, failures, options.onRetry);
      await options.clock.sleep(Math.min(delay, left), stop);
    }
  }
}

/** The options of the steady phase. */
export type SteadyPhaseOptions = Pick<
  LoopOptions,
  'clock' | 'interval' | 'sync' | 'triggers' | 'reload' | 'onSuccess' | 'onFailure'
>;

/** Refreshes until `stop`; the first sync is in `first` milliseconds, after `failed` ones that failed. Rejects only with the reason of `stop`, or a bug. */
export async function steadyPhase(
  options: SteadyPhaseOptions,
  first: number,
  stop: AbortSignal,
  failed = 0,
): Promise<never> {
  let delay = first;
  for (let failures = failed; ; ) {
    const reasons = await options.triggers.wait(delay, stop);
    if (reasons.has('config') || reasons.has('signal')) options.reload();
    try {
      await options.sync('steady', stop);
      failures = 0;
      delay = refreshDelay(options.interval, options.clock.random());
      options.onSuccess(delay);
    } catch (error) {
      stop.throwIfAborted();
      failures++;
      delay = backoffAfter(options, 'steady', error, failures, options.onFailure);
    }
  }
}

/** The wait after a failed sync. An error that is not a Problem is a bug and is thrown again. */
function backoffAfter(
  { clock, interval }: Pick<LoopOptions, 'clock' | 'interval'>,
  phase: Phase,
  error: unknown,
  failures: number,
  onFailure: FirstPhaseOptions['onRetry'],
): number {
  const problems = problemsOrThrow(error);
  const delay = retryDelay(phase, failures, interval, retryAfterOf(problems), clock.random());
  onFailure(problems, failures, delay);
  return delay;
}

/**
 * Logs why a sync of the first phase failed, and when the next attempt is: one line for each cause, even if it affects
 * several objects. Passes the problems to `onProblems`.
 */
export function logRetry(
  log: Log,
  onProblems: (problems: readonly Problem[]) => void = () => {},
): FirstPhaseOptions['onRetry'] {
  return (problems, failures, delay) => {
    onProblems(problems);
    for (const cause of groupByCause(problems))
      log.problem('start.retrying', cause.problem, attemptFields(cause, failures, delay));
  };
}

/** Logs failed syncs of the steady phase, and a failure that repeats at `debug`. */
export interface FailureLog {
  /** The arguments of `LoopOptions.onFailure`. */
  failed(problems: readonly Problem[], failures: number, delay: number): void;
  succeeded(): void;
}

/** The log of a phase without a failure so far. */
export function createFailureLog(log: Log): FailureLog {
  let failing = '';
  return {
    failed(problems, failures, delay) {
      // Compared by code and subject, because request ids in messages differ each time.
      const kind = problems.map(({ code, subject }) => `${code} ${subject}`).join();
      for (const cause of groupByCause(problems)) {
        const fields = attemptFields(cause, failures, delay);
        if (kind === failing) log.problem('sync.failedAgain', cause.problem, fields);
        else log.problem('sync.failed', cause.problem, fields);
      }
      failing = kind;
    },
    succeeded() {
      failing = '';
    },
  };
}

function attemptFields({ alsoAffected }: SharedCause, attempt: number, delay: number): LogFields {
  return {
    attempt,
    retryIn: durationText(delay),
    alsoAffected: alsoAffected.length === 0 ? undefined : namesText(alsoAffected),
  };
}
