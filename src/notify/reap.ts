/**
 * Reaps the orphans of hooks when we are process 1.
 *
 * A process that a hook leaves behind becomes a child of process 1, and when it ends stays in the process table until its
 * new parent waits for it. In a pod with a shared PID namespace that is the sandbox's task; otherwise it is ours, and Node
 * waits only for children that it started itself. So waitpid(2) is called for the others, through node:ffi, which is loaded
 * only when there is a zombie.
 */

import type { ProcessTable } from './process-matching.ts';
import { readProcessTable } from './processes.ts';

/** waitpid(2): the pid when it was reaped. */
export type WaitPid = (pid: number) => number;

/**
 * Waits for every ended child; called when no hook runs, so that none of them is one that Node itself waits for. Returns
 * how many are left, because node:ffi is missing (before Node 26). Does nothing unless we are process 1.
 */
export async function reapZombies(
  self: number,
  table: () => ProcessTable = readProcessTable,
  waiter: () => Promise<WaitPid> = loadWaitPid,
): Promise<number> {
  if (self !== 1) return 0;
  const orphans = [...table().values()].filter((process) => process.zombie && process.parent === self);
  if (orphans.length === 0) return 0;
  try {
    const waitPid = await waiter();
    return orphans.filter((process) => waitPid(process.pid) !== process.pid).length;
  } catch {
    return orphans.length;
  }
}

/** Return at once if the process has not ended. */
const WNOHANG = 1;

async function loadWaitPid(): Promise<WaitPid> {
  const { dlopen } = await import('node:ffi');
  const { functions } = dlopen(null, {
    waitpid: { arguments: ['i32', 'pointer', 'i32'], return: 'i32' },
  });
  return (pid) => functions.waitpid(pid, 0n, WNOHANG);
}
