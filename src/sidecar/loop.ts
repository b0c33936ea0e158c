/**
 * When to sync.
 *
 * First phase: a pod waits. Failures that may pass (an agent that is not up yet, IAM that has not spread, throttling) are
 * tried again until the start timeout; any other ends the phase at once, with every problem that was found. Steady phase:
 * nothing ends it but `stop`. It refreshes at the interval, backs off after failures, never runs two passes at a time, and
 * looks at once when it is woken. What a pass is, it does not know.
 */

import type { Clock } from '../core/clock.ts';
import { type Problem, problemsOrThrow } from '../core/problem.ts';
import { type Phase, refreshDelay, retryAfterOf, retryBudget, retryDelay } from './backoff.ts';
import type { Triggers } from './triggers.ts';

/** What the first phase needs. */
export interface LoopOptions {
  readonly clock: Clock;
  /** Milliseconds between refreshes. */
  readonly interval: number;
  /** One pass: fetch, publish, tell. Throws the problems of whatever could not be done. */
  readonly sync: (phase: Phase, stop: AbortSignal) => Promise<void>;
  /** A pass failed with problems that may pass; the next try is in `delay` milliseconds. */
  readonly onFailure: (problems: readonly Problem[], failures: number, delay: number) => void;
}

/** What the steady phase needs besides. */
export interface SteadyLoopOptions extends LoopOptions {
  readonly triggers: Triggers;
  /** Reads the configs again; never throws: a broken config is reported and the old one stays. */
  readonly reload: () => Promise<unknown>;
  /** A pass ended well; the next refresh is in `delay` milliseconds. */
  readonly onSuccess: (delay: number) => void;
}

/** Passes until one succeeds. Throws its problems when they cannot recover, or when `timeout` milliseconds are over. */
export async function firstPhase(options: LoopOptions, timeout: number, stop: AbortSignal): Promise<void> {
  const startedAt = options.clock.elapsed();
  for (let failures = 1; ; failures++) {
    try {
      return await options.sync('start', stop);
    } catch (error) {
      stop.throwIfAborted();
      const left = startedAt + retryBudget(error, timeout) - options.clock.elapsed();
      if (left <= 0) throw error;
      await options.clock.sleep(Math.min(backoffAfter(options, 'start', error, failures), left), stop);
    }
  }
}

/** Refreshes until `stop`; `first` milliseconds pass before the first. Rejects only with the reason of `stop`, or a bug. */
export async function steadyPhase(
  options: SteadyLoopOptions,
  first: number,
  stop: AbortSignal,
): Promise<never> {
  let delay = first;
  for (let failures = 0; ; ) {
    const reasons = await options.triggers.wait(delay, stop);
    if (reasons.has('config') || reasons.has('signal')) await options.reload();
    try {
      await options.sync('steady', stop);
      failures = 0;
      delay = refreshDelay(options.interval, options.clock.random());
      options.onSuccess(delay);
    } catch (error) {
      stop.throwIfAborted();
      failures++;
      delay = backoffAfter(options, 'steady', error, failures);
    }
  }
}

/** How long to wait after a failed pass; a thrown thing that is no Problem is a bug and is thrown on. */
function backoffAfter(options: LoopOptions, phase: Phase, error: unknown, failures: number): number {
  const problems = problemsOrThrow(error);
  const delay = retryDelay(phase, failures, options.interval, retryAfterOf(problems), options.clock.random());
  options.onFailure(problems, failures, delay);
  return delay;
}
