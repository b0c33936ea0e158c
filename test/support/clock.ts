/**
 * A clock for tests: time moves only when the test moves it.
 *
 *   const clock = fakeClock();                  // elapsed 0, now 2026-01-01T00:00:00Z, random 0.5
 *   await clock.advance(60_000);                // a minute passes: every sleeper wakes at its own moment, in order
 *   await clock.next();                         // straight to the moment at which the next sleeper wakes; false if none
 *   await clock.suspend(3_600_000);             // the machine was suspended: an hour has passed, without timers
 *   clock.jump(-5_000);                         // the wall clock is set back; elapsed and sleepers are unaffected
 *   await clock.settle();                       // let everything run that waits for nothing but promises
 *   clock.sleepers                              // what is asleep: milliseconds until each wakes, soonest first
 *   fakeClock({ now: 0, random: () => 0.99 })   // random may also be a function with its own sequence
 *
 * After each wake-up the promises that follow from it are run to the end, through up to `turns` turns of the event loop
 * (default 2: enough for promises; give more when dynamic imports or real files are between), before the next one wakes.
 */

import type { Clock } from '../../src/core/clock.ts';

export interface FakeClock extends Clock {
  /** Moves time by `ms`, waking every sleeper at its moment, also those that fall asleep on the way. */
  advance(ms: number): Promise<void>;
  /** Moves to the next timer; returns false without a move if there is none. */
  next(): Promise<boolean>;
  /** `ms` pass that no timer counts, as on a suspended machine: every sleeper has as much of its sleep to come as before. */
  suspend(ms: number): Promise<void>;
  /** Sets the wall clock forward or back; nothing else moves. */
  jump(ms: number): void;
  settle(): Promise<void>;
  readonly sleepers: readonly number[];
}

export interface FakeClockOptions {
  /** Wall clock at the start, milliseconds since 1970. */
  readonly now?: number;
  readonly random?: () => number;
  /** Turns of the event loop after each wake-up. */
  readonly turns?: number;
}

interface Sleeper {
  wakesAt: number;
  readonly wake: () => void;
}

export function fakeClock(options: FakeClockOptions = {}): FakeClock {
  const { now = Date.UTC(2026, 0, 1), random = () => 0.5, turns = 2 } = options;
  let elapsed = 0;
  let wallOffset = now;
  // In the order of waking; those of one moment in the order of falling asleep.
  const asleep: Sleeper[] = [];

  async function settle(): Promise<void> {
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  async function wakeDue(): Promise<void> {
    for (let due = asleep[0]; due !== undefined && due.wakesAt <= elapsed; due = asleep[0]) {
      asleep.shift();
      due.wake();
      await settle();
    }
  }

  return {
    now: () => wallOffset + elapsed,
    elapsed: () => elapsed,
    random,
    settle,

    sleep(ms, signal) {
      return new Promise<void>((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const sleeper: Sleeper = { wakesAt: elapsed + Math.max(0, ms), wake };
        const place = asleep.findIndex((other) => other.wakesAt > sleeper.wakesAt);
        asleep.splice(place === -1 ? asleep.length : place, 0, sleeper);
        signal.addEventListener('abort', abort, { once: true });

        function wake(): void {
          signal.removeEventListener('abort', abort);
          resolve();
        }
        function abort(): void {
          asleep.splice(asleep.indexOf(sleeper), 1);
          reject(signal.reason);
        }
      });
    },

    async advance(ms) {
      const until = elapsed + ms;
      await settle();
      for (let due = asleep[0]; due !== undefined && due.wakesAt <= until; due = asleep[0]) {
        elapsed = Math.max(elapsed, due.wakesAt);
        await wakeDue();
      }
      elapsed = until;
      await settle();
    },

    async next() {
      await settle();
      const due = asleep[0];
      if (due === undefined) return false;
      elapsed = Math.max(elapsed, due.wakesAt);
      await wakeDue();
      return true;
    },

    async suspend(ms) {
      await settle();
      elapsed += ms;
      for (const sleeper of asleep) sleeper.wakesAt += ms;
    },

    jump(ms) {
      wallOffset += ms;
    },

    get sleepers() {
      return asleep.map((sleeper) => sleeper.wakesAt - elapsed);
    },
  };
}
