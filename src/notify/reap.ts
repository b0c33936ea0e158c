/**
 * Reaps the orphans of hooks if this process is process 1.
 *
 * A process that outlives its hook becomes a child of process 1, and when it ends stays in the process table until its
 * new parent waits for it. In a pod with a shared PID namespace the sandbox does that; otherwise podsecrets must, and Node
 * waits only for children that it started itself. So waitpid(2) is called for the others, through node:ffi, which is loaded
 * only when there is a zombie. Node must reap its own children, or it would not notice their end. It does that in the next
 * iteration of the event loop, so a zombie that still exists after two iterations is not a child of Node.
 */

import type { ProcessTable } from './process-matching.ts';
import { readProcessTable } from './processes.ts';

/** waitpid(2): the pid when it was reaped. */
export type WaitPid = (pid: number) => number;

/** The parts of the system that reaping needs. */
export interface ReapSystem {
  readonly table: () => ProcessTable;
  readonly waiter: () => Promise<WaitPid>;
  /** Resolves after one iteration of the event loop. */
  readonly turn: () => Promise<void>;
}

/**
 * Waits for every ended child that is not Node's. Returns how many are left, because node:ffi is missing (before Node 26).
 * Does nothing unless this process is process 1.
 */
export async function reapZombies(self: number, system: ReapSystem = real): Promise<number> {
  if (self !== 1) return 0;
  const before = zombiesOf(self, system);
  if (before.length === 0) return 0;
  await system.turn();
  await system.turn();
  const orphans = zombiesOf(self, system).filter((pid) => before.includes(pid));
  if (orphans.length === 0) return 0;
  try {
    const waitPid = await system.waiter();
    return orphans.filter((pid) => waitPid(pid) !== pid).length;
  } catch {
    return orphans.length;
  }
}

function zombiesOf(self: number, { table }: ReapSystem): readonly number[] {
  return [...table().values()]
    .filter(({ zombie, parent }) => zombie && parent === self)
    .map(({ pid }) => pid);
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

const real: ReapSystem = {
  table: readProcessTable,
  waiter: loadWaitPid,
  turn: () => new Promise((resolve) => setImmediate(resolve)),
};
