/**
 * The internal commands: `podsecrets worker KIND`, which the program starts itself (worker/process.ts).
 */

import { usageProblem } from '../core/problem.ts';
import { hideMemory } from '../v8/hide-memory.ts';
import { hasReport } from '../worker/inherited.ts';
import type { WorkerContext } from './context.ts';

/** Runs the worker; resolves with its exit code. Throws a Problem if it was not started by the program itself. */
export async function worker(kind: string, context: WorkerContext): Promise<number> {
  if (hasReport()) {
    hideMemory();
    if (kind === 'notify') return await (await import('./notify-worker.ts')).notifyWorker(context);
    if (kind === 'sync') return await (await import('./sync-worker.ts')).syncWorker(context);
    if (kind === 'exec') return await (await import('./exec-worker.ts')).execWorker(context);
  }
  throw usageProblem('worker', 'is an internal command', 'Run podsecrets sidecar.', 'usage.command');
}
