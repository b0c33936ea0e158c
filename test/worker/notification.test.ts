/** The process of a notification, as the process that starts it sees its end. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Problem } from '../../src/core/problem.ts';
import { runNotification } from '../../src/worker/notification.ts';
import { realClock } from '../support/real-clock.ts';
import { rejects } from '../support/rejects.ts';
import { within } from '../support/wait.ts';

const test = suite('the process of a notification');
const never = new AbortController().signal;
const target = { kind: 'exec', command: ['/bin/app'] } as const;

/** A clock for time limits of minutes. */
const fast = { ...realClock, sleep: (ms: number, stop: AbortSignal) => realClock.sleep(ms / 100, stop) };

/** Runs a script in the place of the program. */
function run(script: string, stop: AbortSignal = never, clock = realClock): Promise<void> {
  const prelude = `
    const say = (message) => require('node:fs').writeSync(3, JSON.stringify(message) + '\\n');
    const request = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
    `;
  const host = {
    program: { file: process.execPath, args: ['-e', prelude + script] },
    clock,
    kill: (pid: number, signal: NodeJS.Signals) => process.kill(pid, signal),
    memory: () => () => ({ used: 0, limit: 1 }),
    self: process.pid,
    onZombies: () => {},
  };
  const request = { target, names: ['a', 'b'], directories: [{ path: '/dir', identity: '1:2' }] };
  return within('the end of the notification', runNotification(request, host, stop));
}

async function problemOf(script: string): Promise<Problem> {
  return (await rejects(run(script))) as Problem;
}

const failed = { code: 'notify.exec', subject: 'hook', message: 'exit code 3', remedy: 'Correct it.' };

test('a worker gets the target, the names, the directories and the pid', async () => {
  const expected = {
    target,
    names: ['a', 'b'],
    directories: [{ path: '/dir', identity: '1:2' }],
    parent: process.pid,
  };
  await run(`
    require('node:assert').deepEqual(request, ${JSON.stringify(expected)});
    say({ kind: 'delivered' });`);
});

test('a notification that failed rejects with its problem', async () => {
  const { message, retry } = await problemOf(
    `say({ kind: 'failed', problem: ${JSON.stringify({ ...failed, retry: true })} })`,
  );
  assert.equal([message, retry], ['exit code 3', true]);
});

test('a process that ends without a result, or by a signal after one, is a failed notification', async () => {
  for (const [script, expected] of [
    ['', /ended with exit code 0 before its work was done/],
    [`say({ kind: 'delivered' }); process.exitCode = 5`, /ended with exit code 5/],
    [`say({ kind: 'delivered' }); process.kill(process.pid, 'SIGKILL')`, /ended by SIGKILL/],
    [`say({ kind: 'bug', line: 'TypeError: x' }); process.exit(1)`, /its process failed: TypeError: x/],
    [`say({ kind: 'other' }); setInterval(() => {}, 1e6)`, /report that cannot be used/],
  ] as const) {
    const { code, subject, message, retry } = await problemOf(script);
    assert.equal([code, subject, retry], ['notify.exec', 'hook "/bin/app"', true]);
    assert.match(message, expected);
  }
});

test('a process that reports the start of a hook again and again does not extend its time', async () => {
  const hook = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
  const end = once(hook, 'exit');
  const script = `setInterval(() => say({ kind: 'started', group: ${hook.pid} }), 1);`;
  const { code, message, remedy } = (await rejects(run(script, never, fast))) as Problem;
  assert.equal([code, message], ['notify.exec', 'its process did not end within 1m30s and was killed']);
  assert.match(remedy, 'Give the container more CPU');
  assert.equal(await within('the end of the hook', end), [null, 'SIGKILL']);
});

test('a hook is killed if its process was killed, and not if its process succeeded', async () => {
  for (const isKilled of [true, false]) {
    const hook = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
    const end = once(hook, 'exit');
    const started = `say({ kind: 'started', group: ${hook.pid} });`;
    if (isKilled) {
      await problemOf(`${started} process.kill(process.pid, 'SIGKILL')`);
    } else {
      await run(`${started} say({ kind: 'delivered' })`);
      assert.is(hook.signalCode, null);
      hook.kill('SIGTERM');
    }
    assert.is((await within('the end of the hook', end))[1], isKilled ? 'SIGKILL' : 'SIGTERM');
  }
});

test('an abort ends it, and is the reason', async () => {
  const stop = new AbortController();
  const reason = new Error('SIGTERM');
  const running = rejects(run('setInterval(() => {}, 1e6)', stop.signal));
  stop.abort(reason);
  assert.is(await running, reason);
});

test.run();
