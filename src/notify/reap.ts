/**
 * Reaps the orphans of hooks if this process is process 1.
 *
 * A process that outlives its hook becomes a child of process 1, and when it ends stays in the process table until its
 * new parent waits for it. In a pod with a shared PID namespace the sandbox does that; otherwise podsecrets must, and Node
 * waits only for children that it started itself. So waitpid(2) is called for the others, through node:ffi, which is loaded
 * only when there is a zombie.
 *
 * Only Node may reap its own children: it would never report the end of a child that another caller reaped, and a sidecar
 * would wait for its worker forever. They are excluded by pid: a process is a zombie as soon as its main thread has ended,
 * but its parent is notified only after the last of its threads, many milliseconds later on a busy machine.
 */

import type { ProcessTable } from './process-matching.ts';
import { readProcessTable } from './processes.ts';

/** waitpid(2), without waiting. */
export type WaitPid = (pid: number) => void;

/** The parts of the system that reaping needs. */
export interface ReapSystem {
  readonly table: () => ProcessTable;
  readonly waiter: () => Promise<WaitPid>;
}

/**
 * Waits for every ended child that is not Node's; `isNodes`: whether Node waits for the process of this pid. Returns how many are
 * left because node:ffi is missing (before Node 26). Does nothing unless this process is process 1.
 */
export async function reapZombies(
  self: number,
  isNodes: (pid: number) => boolean,
  { table, waiter }: ReapSystem = real,
): Promise<number> {
  if (self !== 1) return 0;
  const orphans = [...table().values()]
    .filter(({ pid, zombie, parent }) => zombie && parent === self && !isNodes(pid))
    .map(({ pid }) => pid);
  if (orphans.length === 0) return 0;
  try {
    const waitPid = await waiter();
    // Not an orphan whose other threads have not ended yet: a later call reaps it.
    for (const pid of orphans) waitPid(pid);
    return 0;
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
  return (pid) => {
    functions.waitpid(pid, 0n, WNOHANG);
  };
}

const real: ReapSystem = {
  table: readProcessTable,
  waiter: loadWaitPid,
};
