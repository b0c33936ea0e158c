/**
 * Keeps a sidecar small between its syncs: it works for a moment every ten minutes, and is paid for all the time.
 *
 * V8 is told not to compile for speed, and to give back what a sync left. Nothing here changes what the program does; init,
 * which lives for a moment, does without.
 */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** From now on functions are interpreted, not compiled. */
export function compileLess(): void {
  for (const flag of ['--max-opt=0', '--no-sparkplug']) setFlagsFromString(flag);
}

/** Gives the memory that a sync left back to the system. Takes about 30 ms. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: object) => void;
  for (let times = 0; times < 3; times++) collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
