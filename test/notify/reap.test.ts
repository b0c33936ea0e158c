import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ProcessEntry } from '../../src/notify/process-matching.ts';
import { reapZombies, type WaitPid } from '../../src/notify/reap.ts';
import { isAllowed } from '../support/allowed.ts';
import { WAIT_LIMIT } from '../support/wait.ts';

const test = suite('orphans');

function tableOf(...rows: Partial<ProcessEntry>[]): ReadonlyMap<number, ProcessEntry> {
  return new Map(
    rows.map((row, index) => {
      const pid = index + 10;
      return [row.pid ?? pid, { pid, parent: 1, name: 'sh', program: '', zombie: true, started: 1, ...row }];
    }),
  );
}

interface Scene {
  /** The process table at each look; the last one stays. */
  readonly tables: readonly ReadonlyMap<number, ProcessEntry>[];
  readonly waiter: () => Promise<WaitPid>;
}

async function reap(self: number, { tables, waiter }: Scene): Promise<number> {
  let look = 0;
  const table = () => tables[Math.min(look++, tables.length - 1)] ?? new Map();
  return await reapZombies(self, { table, waiter, turn: async () => {} });
}

test('waits only for ended children of process 1', async () => {
  const asked: number[] = [];
  const waiter = async () => (pid: number) => asked.push(pid) && pid;
  const tables = [tableOf({}, { zombie: false }, { parent: 7 }, {})];
  assert.is(await reap(1, { tables, waiter }), 0);
  assert.equal(asked, [10, 13]);
});

test('does not reap a child of Node, which Node reaps in the next iteration of the event loop', async () => {
  const asked: number[] = [];
  const waiter = async () => (pid: number) => asked.push(pid) && pid;
  const orphan = { pid: 10 };
  // Another child may have ended meanwhile.
  const tables = [tableOf(orphan, { pid: 20 }), tableOf(orphan, { pid: 21 })];
  assert.is(await reap(1, { tables, waiter }), 0);
  assert.equal(asked, [10]);
});

test('does nothing unless it is process 1, and loads nothing without zombies', async () => {
  const waiter = () => Promise.reject(new Error('loaded'));
  assert.is(await reap(7, { tables: [tableOf({ parent: 7 })], waiter }), 0);
  assert.is(await reap(1, { tables: [tableOf({ zombie: false })], waiter }), 0);
});

test('counts zombies that cannot be reaped', async () => {
  const tables = [tableOf({}, {})];
  assert.is(await reap(1, { tables, waiter: () => Promise.reject(new Error('no such module')) }), 2);
  assert.is(await reap(1, { tables, waiter: async () => (pid) => (pid === 10 ? pid : 0) }), 1);
});

test('as process 1 of a real PID namespace reaps every zombie of hooks, and no child of Node', () => {
  const unshare = ['--user', '--map-root-user', '--pid', '--fork', '--kill-child', '--mount-proc'];
  if (!isAllowed('orphans of process 1', ['unshare', ...unshare, 'true'])) return;
  const module = (path: string) => new URL(`../../src/notify/${path}`, import.meta.url).href;
  const script = `
    import { execNotifier } from ${JSON.stringify(module('exec.ts'))};
    import { readProcessTable } from ${JSON.stringify(module('processes.ts'))};
    import { reapZombies } from ${JSON.stringify(module('reap.ts'))};
    import { spawn } from 'node:child_process';
    let unreaped = 0;
    const run = async (script) => {
      await execNotifier(['/bin/sh', '-c', script], { environment: {}, redact: (text) => text, onStart() {} })
        .notify([], new AbortController().signal);
      unreaped += await reapZombies(process.pid);
    };
    // Node must see the end of each of these, at whatever moment the orphans are reaped.
    let started = 0;
    let ended = 0;
    const child = () => {
      started++;
      spawn('/bin/true').on('exit', () => { ended++; });
    };
    // One in the group, and one that left it and ends on its own: each before its run is over, or later.
    for (let times = 0; times < 5; times++) {
      for (let more = 0; more < 10; more++) child();
      await run('sleep 1000 & setsid sleep 0.01 & sleep 0.05; exit 0');
    }
    const others = () => [...readProcessTable().keys()].filter((pid) => pid !== process.pid);
    while (others().length > 0 || ended < started) await run('exit 0');
    console.log(JSON.stringify({ pid: process.pid, unreaped, others: others().length }));`;
  const { stdout } = spawnSync(
    'unshare',
    [...unshare, process.execPath, '--no-warnings', '--input-type=module', '-e', script],
    { encoding: 'utf8', timeout: WAIT_LIMIT, killSignal: 'SIGKILL' },
  );
  assert.is(stdout, '{"pid":1,"unreaped":0,"others":0}\n');
});

test.run();
