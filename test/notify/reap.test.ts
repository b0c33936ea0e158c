import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ProcessEntry } from '../../src/notify/process-matching.ts';
import { reapZombies } from '../../src/notify/reap.ts';
import { isAllowed } from '../support/allowed.ts';
import { WAIT_LIMIT } from '../support/wait.ts';

const test = suite('orphans');

function tableOf(...rows: Partial<ProcessEntry>[]): ReadonlyMap<number, ProcessEntry> {
  return new Map(
    rows.map((row, index) => {
      const pid = index + 10;
      return [pid, { pid, parent: 1, name: 'sh', program: '', zombie: true, started: 1, ...row }];
    }),
  );
}

test('waits only for ended children of process 1', async () => {
  const asked: number[] = [];
  const waiter = async () => (pid: number) => asked.push(pid) && pid;
  const table = () => tableOf({}, { zombie: false }, { parent: 7 }, {});
  assert.is(await reapZombies(1, table, waiter), 0);
  assert.equal(asked, [10, 13]);
});

test('does nothing unless it is process 1, and loads nothing without zombies', async () => {
  const waiter = () => Promise.reject(new Error('loaded'));
  assert.is(await reapZombies(7, () => tableOf({ parent: 7 }), waiter), 0);
  assert.is(await reapZombies(1, () => tableOf({ zombie: false }), waiter), 0);
});

test('counts zombies that cannot be reaped', async () => {
  const table = () => tableOf({}, {});
  assert.is(await reapZombies(1, table, () => Promise.reject(new Error('no such module'))), 2);
  assert.is(await reapZombies(1, table, async () => (pid) => (pid === 10 ? pid : 0)), 1);
});

test('leaves no zombie as process 1 of a real PID namespace, whose hooks leave processes behind', () => {
  const unshare = ['--user', '--map-root-user', '--pid', '--fork', '--kill-child', '--mount-proc'];
  if (!isAllowed('orphans of process 1', ['unshare', ...unshare, 'true'])) return;
  const module = (path: string) => new URL(`../../src/notify/${path}`, import.meta.url).href;
  const script = `
    import { execNotifier } from ${JSON.stringify(module('exec.ts'))};
    import { readProcessTable } from ${JSON.stringify(module('processes.ts'))};
    let unreaped = 0;
    const run = (script) => execNotifier(['/bin/sh', '-c', script], {
      environment: {}, self: process.pid, redact: (text) => text, onZombies: (count) => { unreaped += count; },
    }).notify([], new AbortController().signal);
    // One in the group, and one that left it and ends on its own: each before its run is over, or later.
    for (let times = 0; times < 5; times++) await run('sleep 1000 & setsid sleep 0.01 & sleep 0.05; exit 0');
    const others = () => [...readProcessTable().keys()].filter((pid) => pid !== process.pid);
    while (others().length > 0) await run('exit 0');
    console.log(JSON.stringify({ pid: process.pid, unreaped, others: others().length }));`;
  const { stdout } = spawnSync(
    'unshare',
    [...unshare, process.execPath, '--no-warnings', '--input-type=module', '-e', script],
    { encoding: 'utf8', timeout: WAIT_LIMIT, killSignal: 'SIGKILL' },
  );
  assert.is(stdout, '{"pid":1,"unreaped":0,"others":0}\n');
});

test.run();
