/** The real clock, for tests with real processes. */

import { setTimeout } from 'node:timers/promises';
import type { Clock } from '../../src/core/clock.ts';

export const realClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  random: () => Math.random(),
  sleep: (ms, signal) => setTimeout(ms, undefined, { signal }),
};
