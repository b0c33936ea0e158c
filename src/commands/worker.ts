/**
 * The internal commands: `podsecrets worker KIND`, which the program starts itself (worker/process.ts).
 */

import { usageProblem } from '../core/problem.ts';
import type { WorkerContext } from './context.ts';

/** Runs the worker; resolves with its exit code. */
export async function worker(kind: string, context: WorkerContext): Promise<number> {
  if (kind === 'sync') return await (await import('./sync-worker.ts')).syncWorker(context);
  if (kind === 'notify') return await (await import('./notify-worker.ts')).notifyWorker(context);
  if (kind === 'exec') return await (await import('./exec-worker.ts')).execWorker(context);
  throw usageProblem(
    'worker',
    'expected "sync", "notify" or "exec"',
    'Use the commands of --help.',
    'usage.command',
  );
}
