/**
 * What wakes the agent before its time: a signal, an edited config, a request.
 *
 * Events only wake; whoever wakes looks for himself what is new. So any number of requests that arrive while the agent is
 * busy are one when it listens again, and none of them is lost.
 */

import type { Clock } from './ports.ts';

/** Why the agent looks. */
export type WakeReason = 'timer' | 'config' | 'signal' | 'request';

/** Wake-ups, gathered until the agent asks for them. */
export interface Wakes {
  /** Asks for a look as soon as possible. Never waits, never fails. */
  request(reason: Exclude<WakeReason, 'timer'>): void;
  /** The reasons since the last call, or `timer` after `ms` milliseconds. Rejects with the reason of `stop`. */
  next(ms: number, stop: AbortSignal): Promise<ReadonlySet<WakeReason>>;
}

/** The timer sleeps at most this long at a time (milliseconds): timers stand still while a machine is suspended. */
const SLICE = 60_000;

/** No wake-up yet. */
export function createWakes(clock: Clock): Wakes {
  let pending = new Set<WakeReason>();
  let rouse = new AbortController();

  function request(reason: WakeReason): void {
    pending.add(reason);
    rouse.abort();
  }

  async function next(ms: number, stop: AbortSignal): Promise<ReadonlySet<WakeReason>> {
    const due = clock.elapsed() + ms;
    for (let left = ms; pending.size === 0 && left > 0; left = due - clock.elapsed()) {
      const either = AbortSignal.any([stop, rouse.signal]);
      await clock.sleep(Math.min(left, SLICE), either).catch(() => stop.throwIfAborted());
    }
    stop.throwIfAborted();
    const reasons = pending.size === 0 ? new Set<WakeReason>(['timer']) : pending;
    pending = new Set();
    rouse = new AbortController();
    return reasons;
  }

  return { request, next };
}
