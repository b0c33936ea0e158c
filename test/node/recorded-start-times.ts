/** The start times that `npm run test:node -- start-times` measured last; the README shows them. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Seconds from a pod's creation to its application's first line, by the form of the pod. */
export type StartTimes = Readonly<Record<string, number>>;

const file = join(import.meta.dirname, 'start-times.json');

export function recordStartTimes(times: StartTimes): void {
  writeFileSync(file, `${JSON.stringify(times, undefined, 2)}\n`);
}

export function recordedStartTimes(): StartTimes {
  return JSON.parse(readFileSync(file, 'utf8')) as StartTimes;
}
