/** Workers of the built sidecar that get too little: memory, processes, threads. The sidecar, the files and readiness stay. */

import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { openMemoryLimit } from '../support/memory-limit.ts';
import { openPidsLimit } from '../support/pids-limit.ts';
import { binary } from '../support/program.ts';
import { makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';
import { type Sidecar, startSidecar } from '../support/sidecar.ts';
import { until } from '../support/wait.ts';
import { childrenOf } from '../support/worker-kills.ts';

const region = 'eu-west-1';
const MEBIBYTE = 1024 * 1024;

interface Fixture {
  aws: FakeAwsProcess;
  box: Sandbox;
  sidecars: Sidecar[];
  /** Called after the end of the sidecars. */
  ends: (() => Promise<void>)[];
}

const limits = suite<Fixture>('a worker that gets too little');
limits.before(async (context) => {
  context.aws = await startFakeAwsProcess({
    identities: { app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: ['pod-token'] } },
    regions: { [region]: { secrets: { a: 'one', json: '{"k":[]}' } } },
  });
});
limits.after(({ aws }) => aws.stop());
limits.before.each(async (context) => {
  await context.aws.reset();
  context.box = makeSandbox();
  context.sidecars = [];
  context.ends = [];
});
limits.after.each(async ({ box, sidecars, ends }) => {
  for (const running of sidecars) running.child.kill('SIGKILL');
  await Promise.all(sidecars.map((running) => running.ended()));
  for (const end of ends) await end();
  box.remove();
});

const object = { objectName: 'a', objectType: 'secretsmanager' };
const put = ({ aws }: Fixture, name: string, string: string) => aws.putSecret({ region, name, string });

async function ready(
  { aws, box, sidecars }: Fixture,
  args: readonly string[],
  command: readonly [string, ...string[]],
): Promise<Sidecar> {
  const running = await startSidecar(
    ['--aws-timeout', '1m', ...args],
    podIdentityEnv(box, aws, 'pod-token'),
    command,
  );
  sidecars.push(running);
  await running.event('sidecar.ready');
  return running;
}

const problemOf = (running: Sidecar) =>
  running.events('sync.failed').find(({ code }) => code === 'sync.killed');

limits(
  'a value with which the render of one config exhausts the memory does not keep the configs after it from syncing',
  async (fixture) => {
    const { box } = fixture;
    const limit = openMemoryLimit('a value that multiplies', 128 * MEBIBYTE, binary);
    if (limit === undefined) return;
    fixture.ends.push(limit.remove);
    // Each step doubles the list, if it is not empty.
    const doubled = `k[]${'.[@,@][]'.repeat(40)}`;
    const json = { objectName: 'json', objectType: 'secretsmanager' };
    const [first, second] = [join(box.root, 'first.yaml'), join(box.root, 'second.yaml')];
    box.writeConfig({ objects: [{ ...json, jmesPath: [{ path: doubled, objectAlias: 'k' }] }] });
    copyFileSync(box.config, first);
    box.writeConfig({ objects: [object] });
    copyFileSync(box.config, second);
    const args = ['--config', `${first}=${box.dir}1`, '--config', `${second}=${box.dir}2`];
    const running = await ready(fixture, args, limit.command);
    const published = () => readFileSync(join(`${box.dir}2`, 'a'), 'utf8');

    await put(fixture, 'json', '{"k":[1]}');
    process.kill(running.pid, 'SIGHUP');
    await until('the problem', () => problemOf(running) !== undefined);
    assert.is(problemOf(running)?.subject, first);
    // On a slow machine its time is over before its memory.
    assert.match(String(problemOf(running)?.message), /used \d+ of the \d+ MiB|made no progress for 20s/);
    for (const value of ['two', 'three']) {
      await put(fixture, 'a', value);
      await until(`the value ${value}`, async () => {
        if (published() !== value) process.kill(running.pid, 'SIGHUP');
        return published() === value;
      });
    }
    assert.is((await running.page('/readyz')).status, 200);
    assert.is(limit.kills(), 0, 'the kernel killed a process');

    await put(fixture, 'json', '{"k":[],"l":1}');
    await put(fixture, 'a', 'four');
    await running.refresh();
    await running.event('sync.recovered');
    assert.is(published(), 'four');
  },
);

limits('published files count towards the limit of memory, and the kernel kills nothing', async (fixture) => {
  const { box } = fixture;
  const limit = openMemoryLimit('files that fill the memory', 128 * MEBIBYTE, binary);
  if (limit === undefined) return;
  fixture.ends.push(limit.remove);
  const count = 700;
  const objects = Array.from({ length: count }, (_, at) => ({ ...object, objectAlias: `file-${at}` }));
  box.writeConfig({ objects });
  const running = await ready(fixture, ['--config', box.config, '--dir', box.dir], limit.command);
  // Twice 45 MiB do not fit.
  for (const letter of ['x', 'y']) {
    await put(fixture, 'a', letter.repeat(65_536));
    process.kill(running.pid, 'SIGHUP');
    // The first one was of the start.
    if (letter === 'x') await running.event('publish.changed', 2);
  }
  await until('the problem', () => problemOf(running) !== undefined);
  assert.match(String(problemOf(running)?.message), /used \d+ of the \d+ MiB that the memory limit/);
  assert.is(limit.kills(), 0, 'the kernel killed a process');
  assert.is((await running.page('/readyz')).status, 200);
  assert.is(box.files()[`file-${count - 1}`]?.[0], 'x');
  // What the killed worker had written is removed.
  await put(fixture, 'a', 'two');
  await running.event('sync.recovered');
  assert.is(box.files()[`file-${count - 1}`], 'two');
});

for (const [what, more, message] of [
  ['fork', 0, /^sync: its process cannot be started \(EAGAIN\)$/],
  ['threads', 1, /^sync: its process was ended by SIGABRT: .* no thread within the pids limit$/],
] as const) {
  limits(
    `a limit of processes that allows no ${what} fails syncs, and the first one after it succeeds`,
    async (fixture) => {
      const { box } = fixture;
      const limit = openPidsLimit(`a limit of processes that allows no ${what}`, binary);
      if (limit === undefined) return;
      fixture.ends.push(limit.remove);
      box.writeConfig({ objects: [object] });
      const running = await ready(fixture, ['--config', box.config, '--dir', box.dir], limit.command);
      await until('no process at work', () => childrenOf(running.pid).length === 0);
      limit.allow(more);
      process.kill(running.pid, 'SIGHUP');
      await until('the problem', () => running.hasEnded() || problemOf(running) !== undefined);
      assert.match(String(problemOf(running)?.message), message);
      assert.match(String(problemOf(running)?.remedy), 'podPidsLimit');
      assert.is((await running.page('/readyz')).status, 200);
      assert.equal(box.files(), { a: 'one' });
      limit.allowAll();
      await put(fixture, 'a', 'two');
      await running.refresh();
      await running.event('sync.recovered');
      assert.equal(box.files(), { a: 'two' });
    },
  );
}

limits.run();
