/** Counts the resources of a process that must not grow. */

import { getEventListeners } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { childrenOf, isRunning } from './processes.ts';

export interface Footprint {
  /** MiB of live objects, after garbage collection. */
  readonly heap: number;
  /** MiB of buffers outside of the heap. */
  readonly external: number;
  readonly descriptors: number;
  readonly timers: number;
  readonly sockets: number;
  /** Listeners on a signal that exists as long as the program, and signals that depend on it. */
  readonly listeners: number;
}

/** Of this process, after garbage collection. */
export async function footprint(signal: AbortSignal): Promise<Footprint> {
  // Weak references are cleared one turn of the event loop after their targets.
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let turn = 0; turn < 5; turn++) {
    collect();
    await new Promise(setImmediate);
  }
  const { heapUsed, external } = process.memoryUsage();
  const resources = process.getActiveResourcesInfo();
  return {
    heap: mebibytes(heapUsed),
    external: mebibytes(external),
    descriptors: readdirSync('/proc/self/fd').length,
    timers: resources.filter((resource) => resource === 'Timeout').length,
    sockets: resources.filter((resource) => resource.startsWith('TCP')).length,
    listeners: getEventListeners(signal, 'abort').length + dependants(signal),
  };
}

export interface ProcessFootprint {
  /** MiB that no other process has; the program's file, of which every process has the same, aside. */
  readonly privateMemory: number;
  readonly descriptors: number;
  readonly threads: number;
  /** Child processes that have ended and were not reaped. */
  readonly zombies: number;
}

/** Of another process, as the kernel counts it. */
export function processFootprint(pid: number): ProcessFootprint {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kibibytes = [...rollup.matchAll(/^Private_Dirty:\s+(\d+) kB$/gm)].map(([, size]) => Number(size));
  return {
    privateMemory: mebibytes(kibibytes.reduce((sum, size) => sum + size, 0) * 1024),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: readdirSync(`/proc/${pid}/task`).length,
    zombies: childrenOf(pid).filter((child) => !isRunning(child)).length,
  };
}

function mebibytes(bytes: number): number {
  return Math.round((bytes / 1_048_576) * 100) / 100;
}

/** Node keeps the results of AbortSignal.any in a set of the signals they were made of. */
function dependants(signal: AbortSignal): number {
  const symbol = Object.getOwnPropertySymbols(signal).find((one) => one.description === 'kDependantSignals');
  const set: unknown = symbol === undefined ? undefined : Reflect.get(signal, symbol);
  return set instanceof Set ? set.size : 0;
}
