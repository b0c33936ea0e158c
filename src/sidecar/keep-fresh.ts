/**
 * The life of a sidecar, from its first pass to its stop.
 *
 * Over files that an earlier process left it is ready at once, and AWS being away does not end it: the application has what
 * it needs. What it publishes with, listens on and watches through is opened elsewhere.
 */

import { refreshDelay } from './backoff.ts';
import { firstPhase, type LoopOptions, steadyPhase } from './loop.ts';
import type { StatusTracker } from './status-tracker.ts';
import type { SyncTarget } from './target.ts';
import type { Triggers } from './triggers.ts';

/** Everything that a sidecar lives on. */
export interface SidecarOptions extends Omit<LoopOptions, 'onFailure'> {
  /** Milliseconds for the first phase. */
  readonly startTimeout: number;
  readonly targets: readonly SyncTarget[];
  readonly triggers: Triggers;
  readonly tracker: StatusTracker;
  /** Where the pages are, or `off`. */
  readonly listen: string;
  /** A pass of the first phase failed with what may pass. */
  readonly onRetry: LoopOptions['onFailure'];
  /** Reads the configs again; whether another plan is in force now. */
  readonly reload: () => Promise<boolean>;
  /** Watches the configs; resolves as soon as no edit can be missed. */
  readonly watch: () => Promise<void>;
  /** Nothing is to be done for a while. */
  readonly onIdle: () => void;
}

/** Keeps the files fresh until `stop`. Rejects with its reason, with the problems of a first phase that failed, or a bug. */
export async function runSidecar(options: SidecarOptions, stop: AbortSignal): Promise<never> {
  const { clock, interval, tracker } = options;
  let delay = 0;
  if (!options.targets.every((publication) => publication.isReady())) {
    await firstPhase({ ...options, onFailure: options.onRetry }, options.startTimeout, stop);
    // Pods that started together drift apart from here on.
    delay = refreshDelay(interval, clock.random());
  }
  await options.watch();
  // Nobody heard of what was edited before the watch began.
  if (await options.reload()) delay = 0;
  tracker.ready(options.listen, delay);
  options.onIdle();
  const onSuccess = (next: number): void => {
    tracker.succeeded(next);
    options.onIdle();
  };
  const onFailure: LoopOptions['onFailure'] = (problems, failures, next) => {
    tracker.failed(problems, failures, next);
    options.onIdle();
  };
  return await steadyPhase({ ...options, onSuccess, onFailure }, delay, stop);
}
