/**
 * What wakes the agent before its time: a signal, an edited config, a request.
 *
 * Events only wake; whoever wakes looks for himself what is new. So any number of requests that arrive while the agent is
 * busy are one when it listens again, and none of them is lost.
 */

import type { Clock } from '../core/clock.ts';

/** Why the agent looks. */
export type TriggerReason = 'timer' | 'config' | 'signal' | 'request' | 'secrets';

/** Wake-ups, gathered until the agent asks for them. */
export interface Triggers {
  /** Asks for a look as soon as possible. Never waits, never fails. */
  trigger(reason: Exclude<TriggerReason, 'timer'>): void;
  /** The reasons since the last call, or `timer` after `ms` milliseconds. Rejects with the reason of `stop`. */
  wait(ms: number, stop: AbortSignal): Promise<ReadonlySet<TriggerReason>>;
}

/** The timer sleeps at most this long at a time (milliseconds): timers stand still while a machine is suspended. */
const MAX_TIMER = 60_000;

/** No wake-up yet. */
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
