/**
 * The life of a sidecar, from its first pass to its stop.
 *
 * Over files that an earlier process left it is ready at once, and AWS being away does not end it: the application has what
 * it needs. What it publishes with, listens on and watches through is opened elsewhere.
 */

import { type Agent, firstPhase, steadyPhase } from './agent.ts';
import { refreshDelay } from './core/schedule.ts';
import type { Course } from './course.ts';
import type { Publication } from './publication.ts';
import type { Wakes } from './wakes.ts';

/** Everything that a sidecar lives on. */
export interface Life extends Omit<Agent, 'failed'> {
  /** Milliseconds for the first phase. */
  readonly startTimeout: number;
  readonly publications: readonly Publication[];
  readonly wakes: Wakes;
  readonly course: Course;
  /** Where the pages are, or `off`. */
  readonly listen: string;
  /** A pass of the first phase failed with what may pass. */
  readonly waiting: Agent['failed'];
  /** Reads the configs again; whether another plan is in force now. */
  readonly reload: () => Promise<boolean>;
  /** Watches the configs; resolves as soon as no edit can be missed. */
  readonly watch: () => Promise<void>;
  /** Nothing is to be done for a while. */
  readonly rest: () => void;
}

/** Keeps the files fresh until `stop`. Rejects with its reason, with the problems of a first phase that failed, or a bug. */
export async function keepFresh(life: Life, stop: AbortSignal): Promise<never> {
  const { clock, interval, course } = life;
  let delay = 0;
  if (!life.publications.every((publication) => publication.isReady())) {
    await firstPhase({ ...life, failed: life.waiting }, life.startTimeout, stop);
    // Pods that started together drift apart from here on.
    delay = refreshDelay(interval, clock.random());
  }
  await life.watch();
  // Nobody heard of what was edited before the watch began.
  if (await life.reload()) delay = 0;
  course.ready(life.listen, delay);
  life.rest();
  const refreshed = (next: number): void => {
    course.refreshed(next);
    life.rest();
  };
  const failed: Agent['failed'] = (problems, failures, next) => {
    course.failed(problems, failures, next);
    life.rest();
  };
  return await steadyPhase({ ...life, refreshed, failed }, delay, stop);
}
