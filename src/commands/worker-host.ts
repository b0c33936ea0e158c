/**
 * The program that a command starts as its workers, and their limits.
 */

import { openWorkerMemory } from '../worker/memory.ts';
import type { WorkerHost } from '../worker/process.ts';
import type { Context } from './context.ts';

export function workerHost({ process: { program, executable, kill }, clock }: Context): WorkerHost {
  return {
    program: { file: executable(), args: program.args },
    clock,
    kill,
    memory: openWorkerMemory,
  };
}
