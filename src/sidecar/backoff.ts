/**
 * When to sync again.
 *
 * After a success: the interval, 10 % shorter or longer, so that the pods of a fleet do not sync at the same time. After a failure:
 * exponential backoff with full jitter (a random part of a doubling limit, so that a fleet does not retry at the same moment),
 * never sooner than Retry-After, never later than the interval. All times are milliseconds.
 */

import { backoff } from '../core/backoff.ts';
import { type Problem, problemsOf } from '../core/problem.ts';
import type { Phase } from '../worker/request.ts';

const RETRIES = {
  start: { first: 500, max: 10_000, min: 100, jitter: 1 },
  steady: { first: 2_000, max: 120_000, min: 500, jitter: 1 },
} as const;

/** The wait after a success; `random` is at least 0 and less than 1. */
export function refreshDelay(interval: number, random: number): number {
  return Math.round(interval * (0.9 + 0.2 * random));
}

/** The wait after the given number of failures in a row (from 1). */
export function retryDelay(
  phase: Phase,
  failures: number,
  interval: number,
  retryAfter: number | undefined,
  random: number,
): number {
  const parameters = RETRIES[phase];
  const max = Math.min(parameters.max, interval);
  const longest = Math.max(interval, parameters.min);
  return backoff({ ...parameters, max }, failures, random, { retryAfter, longest });
}

/** The longest Retry-After of the problems. */
export function retryAfterOf(problems: readonly Problem[]): number | undefined {
  const waits = problems.flatMap((problem) => (problem.retryAfter === undefined ? [] : [problem.retryAfter]));
  return waits.length === 0 ? undefined : Math.max(...waits);
}

/**
 * How long the first phase may retry, in milliseconds from its start: `timeout`, or less if a problem allows less; 0 if one
 * is permanent. An error that is not a Problem is a bug, and is not retried.
 */
export function retryBudget(error: unknown, timeout: number): number {
  const problems = problemsOf(error);
  if (problems === undefined || !problems.every((problem) => problem.retry)) return 0;
  return Math.min(timeout, ...problems.map(({ retryFor }) => retryFor ?? timeout));
}
