/**
 * The program that a command starts as its workers, and their limits.
 */

import { openWorkerMemory } from '../worker/memory.ts';
import type { WorkerHost } from '../worker/process.ts';
import type { Context } from './context.ts';

export function workerHost({ process: { program, kill }, clock }: Context): WorkerHost {
  return {
    program: program(),
    clock,
    kill,
    memory: openWorkerMemory,
  };
}
