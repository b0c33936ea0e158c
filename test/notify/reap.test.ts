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
  readonly table: ReadonlyMap<number, ProcessEntry>;
  readonly waiter: () => Promise<WaitPid>;
  /** The pids of the children of Node. */
  readonly nodes?: readonly number[];
}

async function reap(self: number, { table, waiter, nodes = [] }: Scene): Promise<number> {
  return await reapZombies(self, (pid) => nodes.includes(pid), { table: () => table, waiter });
}

test('waits only for ended children of process 1', async () => {
  const reaped: number[] = [];
  const waiter = async () => (pid: number) => void reaped.push(pid);
  const table = tableOf({}, { zombie: false }, { parent: 7 }, {});
  assert.is(await reap(1, { table, waiter }), 0);
  assert.equal(reaped, [10, 13]);
});

test('does not reap a child of Node, however long its other threads take to end', async () => {
  const reaped: number[] = [];
  const waiter = async () => (pid: number) => void reaped.push(pid);
  assert.is(await reap(1, { table: tableOf({}, {}), waiter, nodes: [10] }), 0);
  assert.equal(reaped, [11]);
});

test('does nothing unless it is process 1, and loads nothing without zombies', async () => {
  const waiter = () => Promise.reject(new Error('loaded'));
  assert.is(await reap(7, { table: tableOf({ parent: 7 }), waiter }), 0);
  assert.is(await reap(1, { table: tableOf({ zombie: false }), waiter }), 0);
});

test('counts zombies that cannot be reaped', async () => {
  const waiter = () => Promise.reject(new Error('no such module'));
  assert.is(await reap(1, { table: tableOf({}, {}), waiter }), 2);
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
    const running = new Set();
    const run = async (script) => {
      await execNotifier(['/bin/sh', '-c', script], { environment: {}, redact: (text) => text, onStart() {} })
        .notify([], new AbortController().signal);
      unreaped += await reapZombies(process.pid, (pid) => running.has(pid));
    };
    // Node must see the end of each of these, at whatever moment the orphans are reaped.
    let started = 0;
    let ended = 0;
    const child = () => {
      started++;
      const { pid } = spawn('/bin/true').on('exit', () => { ended++; running.delete(pid); });
      running.add(pid);
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
