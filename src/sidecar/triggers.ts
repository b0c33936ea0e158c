/**
 * What starts a sync before the interval is over: a signal, an edited config, a request.
 *
 * A trigger only ends the wait; the loop then fetches and compares. So any number of triggers during a sync lead to
 * one more sync, and none is lost.
 */

import type { Clock } from '../core/clock.ts';

/** Why a wait ended. */
export type TriggerReason = 'timer' | 'config' | 'signal' | 'request' | 'secrets';

/** Triggers, collected until the loop waits for them. */
export interface Triggers {
  /** Requests a sync as soon as possible. Never waits, never fails. */
  trigger(reason: Exclude<TriggerReason, 'timer'>): void;
  /** The reasons since the last call, or `timer` after `ms` milliseconds. Rejects with the reason of `stop`. */
  wait(ms: number, stop: AbortSignal): Promise<ReadonlySet<TriggerReason>>;
}

/** A timer runs at most this long (milliseconds), because timers stop while a machine is suspended. */
const MAX_TIMER = 60_000;

/** Creates triggers, none of them pending. */
export function createTriggers(clock: Clock): Triggers {
  let pending = new Set<TriggerReason>();
  let wakeUp = new AbortController();

  function trigger(reason: TriggerReason): void {
    pending.add(reason);
    wakeUp.abort();
  }

  async function wait(ms: number, stop: AbortSignal): Promise<ReadonlySet<TriggerReason>> {
    const due = clock.elapsed() + ms;
    for (let left = ms; pending.size === 0 && left > 0; left = due - clock.elapsed()) {
      const either = AbortSignal.any([stop, wakeUp.signal]);
      await clock.sleep(Math.min(left, MAX_TIMER), either).catch(() => stop.throwIfAborted());
    }
    stop.throwIfAborted();
    const reasons = pending.size === 0 ? new Set<TriggerReason>(['timer']) : pending;
    pending = new Set();
    wakeUp = new AbortController();
    return reasons;
  }

  return { trigger, wait };
}

/**
 * Milliseconds between two syncs that POST /refresh triggers. SIGHUP has no limit, because a process that may send it can do more
 * harm anyway.
 */
export const REFRESH_SPACING = 1000;

/**
 * `trigger`, at most once in `spacing` milliseconds: the first call triggers at once; calls that follow within `spacing` are
 * coalesced into one, which triggers at its end. So none is lost, and a loop in a script cannot cause unlimited API calls.
 * Does nothing after `stop`.
 */
export function createRefreshLimit(
  trigger: () => void,
  spacing: number,
  clock: Clock,
  stop: AbortSignal,
): () => void {
  let nextAllowed = Number.NEGATIVE_INFINITY;
  let waiting = false;
  const triggerNow = (): void => {
    waiting = false;
    nextAllowed = clock.elapsed() + spacing;
    trigger();
  };
  return () => {
    const wait = nextAllowed - clock.elapsed();
    if (waiting || stop.aborted) return;
    if (wait <= 0) return triggerNow();
    waiting = true;
    clock.sleep(wait, stop).then(triggerNow, () => {});
  };
}
