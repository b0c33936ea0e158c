/**
 * Collects garbage earlier than V8 would: in a sidecar between syncs, and in a sync between large responses.
 *
 * A sidecar is idle nearly all the time, but its memory counts all the time. What it loads and computes at its start is garbage
 * after its first sync, and V8 alone would return those pages after hours. Later syncs are done by other processes and leave little.
 */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Syncs between two collections. One takes 20 ms of CPU; a sync leaves up to 0.2 MiB. After four, V8 would copy the young objects, which
 * needs a further MiB: private memory is 10.8 MiB with four, 10.6 with three.
 */
const SPACING = 3;

/** Collects garbage at once. V8 alone does it at 64 MiB of buffers, which is half of the memory limit of the container. */
export function collectGarbage(): void {
  collection ??= openCollection();
  collection();
}

let collection: (() => void) | undefined;

/** A function to call after each sync: it collects garbage after the first sync and then after every third. */
export function createCollector(): () => void {
  let calls = 0;
  return () => {
    if (calls % SPACING === 0) {
      if (calls === 0) prepareToRest();
      collectGarbage();
    }
    calls++;
  };
}

/**
 * Changes V8's flags, once everything is loaded: with other flags V8 rejects the code that Node and the build stored.
 */
function prepareToRest(): void {
  // Small Buffers share a piece of memory, which stays as long as one of them does: with Node's 64 KiB it is 0.2 MiB more.
  Buffer.poolSize = 8192;
  // Code that ran once is dropped by the next collection, not by the sixth.
  setFlagsFromString('--bytecode-old-age=1');
}

function openCollection(): () => void {
  // Adds `gc` to contexts that are created from now on, so no other code has it.
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as (options: object) => void;
  // Only this flavor returns the pages to the kernel at once.
  return () => gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
