/**
 * The clock of the machine.
 */

import { uptime } from 'node:os';
import type { Clock } from './clock.ts';

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  // CLOCK_BOOTTIME, unlike the monotonic clock of timers, goes on while the machine is suspended.
  elapsed: () => uptime() * 1000,
  random: () => Math.random(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const timer = setTimeout(wake, ms);
      signal.addEventListener('abort', cancel, { once: true });
      function wake(): void {
        signal.removeEventListener('abort', cancel);
        resolve();
      }
      function cancel(): void {
        clearTimeout(timer);
        reject(signal.reason);
      }
    }),
};
