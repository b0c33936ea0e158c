/**
 * Collects garbage earlier than V8 would: in a sidecar between syncs, and in a sync between large responses.
 *
 * A sidecar is idle nearly all the time, but its memory counts all the time. What it loads and computes at its start is garbage
 * after its first sync, and V8 alone would return those pages after hours. Later syncs are done by other processes and leave little.
 */

import { setFlagsFromString } from 'node:v8';

/**
 * Syncs between two collections. One takes 20 ms of CPU; a sync leaves up to 0.2 MiB. After four, V8 would copy the young objects,
 * which needs a further MiB for some time: three need 0.2 MiB less in the median.
 */
const SPACING = 3;

/**
 * Collects garbage at once. V8 alone does it at 64 MiB of buffers, which is half of the memory limit of the container. Does nothing
 * in a process that was not started with --expose-gc, as the built program is.
 */
export function collectGarbage(): void {
  // Only this flavor returns the pages to the kernel at once.
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** A function to call after each sync: it collects garbage after the first sync and then after every third. */
export function createCollector(): () => void {
  let calls = 0;
  return () => {
    if (calls === 0) prepareToRest();
    if (calls++ % SPACING === 0) collectGarbage();
  };
}

/** Once everything is loaded: V8 accepts the code that the build stored only with the flags of the build. */
function prepareToRest(): void {
  // Small Buffers share a piece of memory, which stays as long as one of them does: with Node's 64 KiB it is 0.2 MiB more.
  Buffer.poolSize = 8192;
  // Code that ran once is dropped by the next collection, not by the sixth.
  setFlagsFromString('--bytecode-old-age=1');
}
