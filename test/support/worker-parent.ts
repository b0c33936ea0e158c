/** Starts worker-child.ts, and returns its reports. */

import { join } from 'node:path';
import { runWorker } from '../../src/worker/process.ts';
import { realClock } from './real-clock.ts';

await runWorker(
  {
    kind: 'sync',
    request: { parent: process.pid },
    timeouts: { progress: () => 1e9, total: 1e9 },
    receive: (message) => process.stdout.write(`${JSON.stringify(message)}\n`),
  },
  {
    program: {
      file: process.execPath,
      args: ['--no-warnings', join(import.meta.dirname, 'worker-child.ts')],
    },
    clock: realClock,
    kill: (pid, signal) => process.kill(pid, signal),
    memory: () => () => ({ used: 0, limit: 1 }),
  },
  new AbortController().signal,
);
