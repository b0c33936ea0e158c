/**
 * What starts the workers of a command.
 */

import { privateMemory, workerMemory } from '../worker/memory.ts';
import type { WorkerHost } from '../worker/process.ts';
import type { Context } from './context.ts';

/** Starts this program, also when another file was put in its place since. */
export function workerHost({ process: { program, kill, memoryLimit }, clock }: Context): WorkerHost {
  return {
    program: { file: '/proc/self/exe', args: program.args },
    clock,
    kill,
    memoryLimit: () => workerMemory(memoryLimit(), privateMemory('self')),
  };
}
