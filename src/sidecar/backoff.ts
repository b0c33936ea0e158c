/**
 * When to look again.
 *
 * After a success: the interval, 10 % sooner or later, so that the pods of a fleet drift apart. After a failure: exponential
 * backoff with full jitter (a random part of a doubling limit, so that a fleet does not come back as one), never sooner than
 * the other side asked for, never slower than the interval. All times are milliseconds.
 */

import { type Problem, problemsOf } from '../core/problem.ts';

/** The first phase is about a pod that waits to start; the steady phase must not add to a bad day at AWS. */
export type Phase = 'start' | 'steady';

const backoff = {
  start: { first: 500, most: 10_000, least: 100 },
  steady: { first: 2_000, most: 120_000, least: 500 },
} as const;

/** The wait after a success; `random` is from 0 up to but not 1. */
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
  const { first, most, least } = backoff[phase];
  // 2^30 is far above every limit and far below where the doubling would stop being a number.
  const limit = Math.min(most, interval, first * 2 ** Math.min(failures - 1, 30));
  const jittered = Math.max(Math.min(least, limit), Math.round(limit * random));
  return Math.min(Math.max(jittered, retryAfter ?? 0), Math.max(interval, least));
}

/** The longest time that any of the problems asks to be left alone. */
export function retryAfterOf(problems: readonly Problem[]): number | undefined {
  const waits = problems.flatMap((problem) => (problem.retryAfter === undefined ? [] : [problem.retryAfter]));
  return waits.length === 0 ? undefined : Math.max(...waits);
}

/**
 * How long the first phase may keep trying, in milliseconds from its start: `timeout`, or what the most hopeless problem
 * allows; nothing when a problem cannot pass by itself. What is not a Problem is a bug, and stays one.
 */
export function retryBudget(error: unknown, timeout: number): number {
  const problems = problemsOf(error);
  if (problems === undefined || !problems.every((problem) => problem.retry)) return 0;
  return Math.min(timeout, ...problems.map(({ retryFor }) => retryFor ?? timeout));
}
