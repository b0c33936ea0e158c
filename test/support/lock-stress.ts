/**
 * A process that takes a directory's lock over and over, and records when it enters and when it leaves.
 *
 *   node test/support/lock-stress.ts '{"dir":"/dev/shm/x","journal":"/dev/shm/y","turns":50}'
 */

import { appendFileSync } from 'node:fs';
import { takeLock } from '../../src/publish/lock.ts';
import { realClock } from './real-clock.ts';
import { WAIT_LIMIT } from './wait.ts';

export interface Stress {
  readonly dir: string;
  /** Grows by one line an event, each written with a single O_APPEND write. */
  readonly journal: string;
  readonly turns: number;
}

if (import.meta.main) {
  const { dir, journal, turns } = JSON.parse(process.argv[2] ?? '') as Stress;
  // Short, because the pauses between tries make a test of many processes slow.
  const clock = { ...realClock, sleep: () => realClock.sleep(Math.random(), new AbortController().signal) };
  const options = {
    lockTimeout: WAIT_LIMIT,
    clock,
    stop: new AbortController().signal,
  };
  for (let turn = 0; turn < turns; turn++) {
    const lock = await takeLock(dir, options);
    appendFileSync(journal, `enter ${process.pid}\n`);
    await realClock.sleep(Math.random() * 2, options.stop);
    appendFileSync(journal, `leave ${process.pid}\n`);
    lock.release();
  }
}
