/**
 * What a reader of /proc/PID/mem finds, at each moment: values only in the worker of a sync, and in none of the processes that
 * live between syncs or while a hook runs.
 */

import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { mayBecome } from '../support/allowed.ts';
import { canary } from '../support/canary.ts';
import { textsInMemory } from '../support/process-memory.ts';
import { childrenOf, commandOf } from '../support/processes.ts';
import { binary } from '../support/program.ts';
import { nobody } from '../support/readable-copy.ts';
import { makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';
import { type Sidecar, startSidecar } from '../support/sidecar.ts';
import { until } from '../support/wait.ts';
import { notifyWorkersOf } from '../support/worker-kills.ts';

const region = 'eu-west-1';
const objects = ['a', 'b'].map((objectName) => ({ objectName, objectType: 'secretsmanager' }));
const [old, next, other] = ['old', 'next', 'other'].map(canary) as [string, string, string];
const values = [old, next, other];

interface Fixture {
  aws: FakeAwsProcess;
  box: Sandbox;
  running: Sidecar;
}

const reader = suite<Fixture>('a reader of the memory');
reader.before.each(async (context) => {
  context.aws = await startFakeAwsProcess({
    identities: { app: { podIdentityTokens: ['pod-token'] } },
    regions: { [region]: { secrets: { a: old, b: other } } },
  });
  context.box = makeSandbox();
  context.box.writeConfig({ objects });
});
reader.after.each(async ({ aws, box, running }) => {
  running.child.kill('SIGKILL');
  await running.ended();
  await aws.stop();
  box.remove();
});

/** A ready sidecar with this hook, which has published the old values. */
async function begin(
  context: Fixture,
  hook: string,
  program?: readonly [string, ...string[]],
): Promise<Sidecar> {
  const { aws, box } = context;
  const command = JSON.stringify(['/bin/sh', '-c', hook]);
  const args = ['--config', box.config, '--dir', box.dir, '--notify-exec', command, '--aws-timeout', '1m'];
  const env = podIdentityEnv(box, aws, 'pod-token');
  context.running = await startSidecar(args, env, program);
  await context.running.event('sidecar.ready');
  return context.running;
}

/** The values that it has in memory. The path of the config is the control: the search finds what is there. */
function found({ box }: Fixture, pid: number): readonly string[] {
  const texts = textsInMemory(pid, [box.config, ...values]);
  assert.ok(texts.includes(box.config), `the search found nothing in ${commandOf(pid)}`);
  return texts.filter((text) => text !== box.config).sort();
}

function hasValue(pid: number, value: string): boolean {
  try {
    return textsInMemory(pid, [value]).length > 0;
  } catch {
    // It has ended.
    return false;
  }
}

reader('finds values during a sync in its worker only, and after it in no process', async (context) => {
  const { aws, box } = context;
  const running = await begin(context, 'exit 0');
  // The other object is held up, so the worker has the value of the first.
  await aws.addFault({ on: { service: 'secretsmanager', id: 'b' }, does: { kind: 'hang' } });
  await aws.putSecret({ region, name: 'a', string: next });
  process.kill(running.pid, 'SIGHUP');
  let worker = 0;
  await until('the value in the worker', () => {
    [worker = 0] = childrenOf(running.pid);
    return worker > 0 && hasValue(worker, next);
  });
  assert.equal(found(context, running.pid), []);
  await aws.clearFaults();
  process.kill(worker, 'SIGTERM');
  await running.event('sync.failed');
  await running.refresh();
  await until('the new value', () => box.text('a') === next);
  await until('no process at work', () => childrenOf(running.pid).length === 0);
  assert.equal(found(context, running.pid), []);
});

reader(
  'finds no value while a hook runs, after it has failed, and while its retry is pending',
  async (context) => {
    const { aws, box } = context;
    const gate = join(box.root, 'gate');
    const started = join(box.root, 'started');
    // Its output has the old and the new value.
    const hook = `cat ${box.dir}/a ${box.dir}/..2*/a; : > ${started}; until [ -e ${gate} ]; do sleep 0.01; done; exit 3`;
    const running = await begin(context, hook);
    await aws.putSecret({ region, name: 'a', string: next });
    await running.refresh();
    let worker = 0;
    await until('a hook', () => {
      [worker = 0] = notifyWorkersOf(running.pid);
      return worker > 0 && existsSync(started);
    });
    assert.equal(found(context, running.pid), [], 'the sidecar while a hook runs');
    writeFileSync(gate, '');
    await running.event('notify.failed');
    assert.is((await running.status()).notifiers[0]?.pending, 1);
    await until('the end of the worker', () => commandOf(worker) === '');
    assert.equal(found(context, running.pid), [], 'the sidecar while a retry is pending');
  },
);

reader('of the same user cannot read a process that has values', async (context) => {
  if (!mayBecome('the memory of processes of the same user')) return;
  const { aws, box } = context;
  // Other users may enter the place of the test, and may not enter that of the program.
  chmodSync(box.root, 0o755);
  chownSync(box.dir, nobody.uid, nobody.gid);
  const copy = join(box.root, 'podsecrets');
  copyFileSync(binary, copy);
  const become = ['setpriv', `--reuid=${nobody.uid}`, `--regid=${nobody.gid}`, '--clear-groups'] as const;
  const running = await begin(context, 'exec sleep 1000', [...become, copy]);
  const canRead = (pid: number) => spawnSync('cat', [`/proc/${pid}/environ`], nobody).status === 0;
  // The control.
  assert.ok(canRead(running.pid), 'the sidecar, which has none');
  await aws.putSecret({ region, name: 'a', string: next });
  await running.refresh();
  let notifying = 0;
  await until('a hook', () => {
    [notifying = 0] = notifyWorkersOf(running.pid);
    return childrenOf(notifying).length > 0;
  });
  assert.not.ok(canRead(notifying), 'the worker of a notification');
  await until('a readable hook', () => canRead(childrenOf(notifying)[0] ?? 0));
  await aws.addFault({ on: { service: 'secretsmanager' }, does: { kind: 'hang' } });
  const calls = await aws.count({ operation: 'GetSecretValue' });
  process.kill(running.pid, 'SIGHUP');
  await until('a request', async () => (await aws.count({ operation: 'GetSecretValue' })) > calls);
  const worker = childrenOf(running.pid).find((pid) => pid !== notifying) ?? 0;
  assert.match(commandOf(worker), /worker sync/);
  assert.not.ok(canRead(worker), 'the worker of a sync');
});

reader.run();
