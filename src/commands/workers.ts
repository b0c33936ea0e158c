/**
 * The internal commands: what a process does that another podsecrets started.
 */

import type { WorkerKind } from '../worker/process.ts';
import type { RunWorker } from './context.ts';

/** The internal command of a command line; undefined for those of users. */
export function workerKind([, , word, kind]: readonly string[]): WorkerKind | undefined {
  return word === 'worker' && (kind === 'sync' || kind === 'notify') ? kind : undefined;
}

/** Loads it. */
export async function loadWorker(kind: WorkerKind): Promise<RunWorker> {
  switch (kind) {
    case 'sync':
      return (await import('./sync-worker.ts')).syncWorker;
    case 'notify':
      throw new Error('no such worker');
    default:
      return kind satisfies never;
  }
}
