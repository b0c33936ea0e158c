/** The workers of a sidecar, as the sidecar starts them: a script in their place. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCommand } from '../../src/cli/parse.ts';
import type { Context } from '../../src/commands/context.ts';
import { spawnedSync } from '../../src/commands/spawned-sync.ts';
import type { SyncMessage } from '../../src/worker/report.ts';
import type { Phase } from '../../src/worker/request.ts';
import { childrenOf } from '../support/processes.ts';
import { realClock } from '../support/real-clock.ts';
import { until, within } from '../support/wait.ts';

const test = suite('the workers of a sidecar');

/** A worker that reports its pid for each request and waits for the next one, until the third. */
const SCRIPT = `
  const { writeSync, readSync } = require('node:fs');
  const say = (message) => writeSync(3, JSON.stringify(message) + '\\n');
  for (let request = 1; ; request++) {
    say({ kind: 'log', event: 'exec.starting', message: String(process.pid), fields: {} });
    if (request === 3) break;
    say({ kind: 'waiting' });
    if (readSync(3, Buffer.alloc(65536)) === 0) break;
  }
`;

/** Syncs; each returns the pid of its worker. */
function open() {
  const command = parseCommand(['sidecar', '--config', 'c.yaml'], {});
  if (command.kind !== 'run') throw new Error('no command');
  const parts = {
    settings: command.invocation.settings,
    clock: realClock,
    process: {
      self: process.pid,
      program: { file: process.execPath, args: ['-e', SCRIPT] },
      executable: () => process.execPath,
      kill: (pid: number, signal: NodeJS.Signals) => void process.kill(pid, signal),
    },
  };
  const { runSync, endStart } = spawnedSync(parts as unknown as Context, undefined);
  async function sync(phase: Phase): Promise<number> {
    const pids: number[] = [];
    const report = (message: SyncMessage): void => {
      if (message.kind === 'log') pids.push(Number(message.message));
    };
    const request = { work: 'sync', phase, configs: [], renderLast: [], batchesDisabled: {} } as const;
    await within('a sync', runSync(request, report, new AbortController().signal));
    assert.is(pids.length, 1);
    return pids[0] ?? 0;
  }
  return { sync, endStart };
}

/** Until Node has reported the end. */
const ended = (pid: number) => until('the end of a worker', () => !childrenOf(process.pid).includes(pid));

test('the attempts of a start share a worker while it waits for the next one', async () => {
  const { sync } = open();
  const first = await sync('start');
  assert.is(await sync('start'), first);
  assert.is(await sync('start'), first);
  await ended(first);
});

test('a worker that ends while it waits is replaced, and no sync fails', async () => {
  const { sync, endStart } = open();
  const first = await sync('start');
  process.kill(first, 'SIGKILL');
  await ended(first);
  assert.not.equal(await sync('start'), first);
  endStart();
});

test('the worker that waits ends with the start', async () => {
  const { sync, endStart } = open();
  const first = await sync('start');
  endStart();
  await ended(first);
});

test.run();
