/**
 * The program that a command starts as its workers, and their limits.
 */

import { privateMemory, workerMemoryLimit } from '../worker/memory.ts';
import type { WorkerHost } from '../worker/process.ts';
import type { Context } from './context.ts';

/** Starts this program, even if its file was replaced since. */
export function workerHost({ process: { program, kill, memoryLimit }, clock }: Context): WorkerHost {
  return {
    program: { file: '/proc/self/exe', args: program.args },
    clock,
    kill,
    memoryLimit: () => workerMemoryLimit(memoryLimit(), privateMemory('self')),
  };
}
