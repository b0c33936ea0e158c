/** Starts a worker where the kernel has no memory for another process: prints its end. Needs root. */

import { spawnSync } from 'node:child_process';
import { dlopen } from 'node:ffi';
import { runWorker } from '../../src/worker/process.ts';
import { realClock } from './real-clock.ts';

const CLONE_NEWPID = 0x20000000;
const { functions } = dlopen(null, { unshare: { arguments: ['i32'], return: 'i32' } });
if (functions.unshare(CLONE_NEWPID) !== 0) throw new Error('unshare is not allowed');
// Process 1 of the namespace. After its end fork(2) fails with ENOMEM there.
spawnSync('true');

const end = await runWorker(
  { kind: 'sync', request: {}, timeouts: { progress: () => 1e9, total: 1e9 }, receive() {} },
  {
    program: { file: process.execPath, args: [] },
    clock: realClock,
    kill: (pid, signal) => process.kill(pid, signal),
    memory: () => () => ({ used: 0, limit: 1 }),
  },
  new AbortController().signal,
);
process.stdout.write(`${JSON.stringify(end)}\n`);
