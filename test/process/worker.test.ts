/**
 * Each sync of the built sidecar runs in a worker process: its memory is freed when it ends, and a crash costs one sync.
 */

import { execFileSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { canary } from '../support/canary.ts';
import { openMemoryLimit } from '../support/memory-limit.ts';
import { textsInMemory } from '../support/process-memory.ts';
import { binary, run, start } from '../support/program.ts';
import { makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';
import { type Sidecar, startSidecar } from '../support/sidecar.ts';
import { until } from '../support/wait.ts';
import { childrenOf, killInSyncs, VICTIMS } from '../support/worker-kills.ts';

const region = 'eu-west-1';
const pinned = '11111111-1111-4111-8111-111111111111';
const MEBIBYTE = 1024 * 1024;

interface Fixture {
  aws: FakeAwsProcess;
  box: Sandbox;
  sidecars: Sidecar[];
}

const worker = suite<Fixture>('the worker of a sidecar');
worker.before(async (context) => {
  context.aws = await startFakeAwsProcess({
    identities: { app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: ['pod-token'] } },
    regions: {
      [region]: { secrets: { a: { versions: [{ id: pinned, string: 'one' }] }, json: '{"k":[1]}' } },
    },
  });
});
worker.after(({ aws }) => aws.stop());
worker.before.each(async (context) => {
  await context.aws.reset();
  context.box = makeSandbox();
  context.sidecars = [];
});
worker.after.each(async ({ aws, box, sidecars }) => {
  await aws.clearFaults();
  for (const running of sidecars) running.child.kill('SIGKILL');
  await Promise.all(sidecars.map((running) => running.ended()));
  box.remove();
});

const object = { objectName: 'a', objectType: 'secretsmanager' };
const rotate = ({ aws }: Fixture, string: string) => aws.putSecret({ region, name: 'a', string });
const hang = ({ aws }: Fixture) =>
  aws.addFault({ on: { service: 'secretsmanager' }, does: { kind: 'hang' } });

async function ready(
  { aws, box, sidecars }: Fixture,
  flags: readonly string[] = [],
  command?: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): Promise<Sidecar> {
  const args = ['--config', box.config, '--dir', box.dir, '--aws-timeout', '1m', ...flags];
  const running = await startSidecar(args, { ...podIdentityEnv(box, aws, 'pod-token'), ...env }, command);
  sidecars.push(running);
  await running.event('sidecar.ready');
  return running;
}

/** A sync that waits for AWS, and its process. */
async function hangingWorker(fixture: Fixture, running: Sidecar): Promise<number> {
  await hang(fixture);
  process.kill(running.pid, 'SIGHUP');
  let [pid] = [0];
  await until('a worker that waits', async () => {
    [pid = 0] = childrenOf(running.pid);
    return pid > 0 && (await fixture.aws.count({ operation: 'GetSecretValue' })) > 1;
  });
  return pid;
}

worker('the memory of an idle sidecar contains no value after changes and a failed hook', async (fixture) => {
  const { box } = fixture;
  box.writeConfig({ objects: [object] });
  const values = Array.from({ length: 12 }, (_, n) => canary(`value-${n}`));
  await rotate(fixture, values[0] ?? '');
  const hook = ['/bin/sh', '-c', `cat ${join(box.dir, 'a')}; test $(date +%N) = none`];
  const running = await ready(fixture, ['--notify-exec', JSON.stringify(hook)]);
  for (const [index, value] of values.entries()) {
    if (index === 0) continue;
    await rotate(fixture, value);
    await running.refresh();
  }
  await running.event('notify.failed');
  assert.equal(box.files(), { a: values.at(-1) });
  await until('no process at work', () => childrenOf(running.pid).length === 0);
  // The control: the search finds the name of the config.
  assert.equal(textsInMemory(running.pid, [box.config]), [box.config]);
  assert.equal(textsInMemory(running.pid, values), []);
});

worker('a sync whose worker is killed fails; files, readiness and the sidecar stay', async (fixture) => {
  const { aws, box } = fixture;
  box.writeConfig({ objects: [object] });
  const running = await ready(fixture);
  process.kill(await hangingWorker(fixture, running), 'SIGKILL');
  const failed = await running.event('sync.failed');
  assert.is(failed.code, 'sync.killed');
  assert.match(failed.message, 'its process was ended by SIGKILL');
  assert.equal(box.files(), { a: 'one' });
  assert.is((await running.page('/readyz')).status, 200);
  assert.is((await running.status()).configs[0]?.lastErrors[0]?.code, 'sync.killed');
  await aws.clearFaults();
  await rotate(fixture, 'two');
  await running.refresh();
  await running.event('sync.recovered');
  assert.equal(box.files(), { a: 'two' });
});

worker(
  'SIGHUP reaches the workers of a sidecar too, as with pkill -HUP, and does not end them',
  async (fixture) => {
    fixture.box.writeConfig({ objects: [object] });
    const running = await ready(fixture);
    const pid = await hangingWorker(fixture, running);
    process.kill(pid, 'SIGHUP');
    // The kernel delivers the signal with the lower number first.
    process.kill(pid, 'SIGTERM');
    assert.match((await running.event('sync.failed')).message, 'its process was ended by SIGTERM');
  },
);

worker('without a free descriptor a sync fails, and the sidecar stays', async (fixture) => {
  const { box } = fixture;
  box.writeConfig({ objects: [object] });
  const running = await ready(fixture);
  const limitDescriptors = (limit: number) =>
    execFileSync('prlimit', ['--pid', String(running.pid), `--nofile=${limit}:1024`]);
  limitDescriptors(3);
  process.kill(running.pid, 'SIGHUP');
  const refused = () => running.events('sync.failed').find(({ code }) => code === 'sync.killed');
  await until('the problem of the worker', () => running.hasEnded() || refused() !== undefined);
  assert.match(String(refused()?.message), 'its process cannot be started (EMFILE)');
  assert.match(String(refused()?.remedy), 'open files');
  await rotate(fixture, 'two');
  limitDescriptors(1024);
  await running.event('sync.recovered');
  assert.equal(box.files(), { a: 'two' });
  assert.equal((await running.status()).configs[0]?.configProblems, []);
});

for (const kind of ['sync', 'notify', 'exec', 'other']) {
  worker(`worker ${kind} by a person is an error of usage`, async () => {
    const { code, stderr } = await run(['worker', kind]);
    assert.is(code, 2);
    assert.is(
      stderr,
      'podsecrets failed: worker: is an internal command. Run podsecrets sidecar. [usage.command]\n',
    );
  });
}

worker('a worker ends when its sidecar is killed', async (fixture) => {
  fixture.box.writeConfig({ objects: [object] });
  const running = await ready(fixture);
  const pid = await hangingWorker(fixture, running);
  process.kill(running.pid, 'SIGKILL');
  await until('the end of the worker', () => !isAlive(pid));
});

worker('SIGTERM aborts a sync that waits for AWS and ends its worker', async (fixture) => {
  fixture.box.writeConfig({ objects: [object] });
  const running = await ready(fixture);
  const pid = await hangingWorker(fixture, running);
  process.kill(running.pid, 'SIGTERM');
  assert.is((await running.ended()).code, 0);
  assert.not.ok(isAlive(pid));
});

for (const [what, edit] of [
  [
    'is a named pipe',
    ({ box }: Fixture) => {
      execFileSync('mkfifo', [join(box.root, 'pipe')]);
      renameSync(join(box.root, 'pipe'), box.config);
    },
  ],
  ['has 500 KB of brackets', ({ box }: Fixture) => writeFileSync(box.config, '['.repeat(500_000))],
] as const) {
  worker(
    `an edited config that ${what} leaves the sidecar alive and the files as they are`,
    async (fixture) => {
      const { box } = fixture;
      box.writeConfig({ objects: [object] });
      const running = await ready(fixture);
      edit(fixture);
      const { level } = await running.event('config.invalid');
      assert.is(level, 'error');
      assert.is((await running.page('/livez')).status, 200);
      assert.is((await running.page('/readyz')).status, 200);
      assert.ok(((await running.status()).configs[0]?.configProblems.length ?? 0) > 0);
      await rotate(fixture, 'two');
      await running.refresh();
      await until('the new value', () => box.files().a === 'two');
    },
  );
}

worker(
  'an edited JMESPath that exhausts the memory ends one worker, and the previous config stays in use',
  async (fixture) => {
    const { box } = fixture;
    const limit = openMemoryLimit('a JMESPath that multiplies', 256 * MEBIBYTE, binary);
    if (limit === undefined) return;
    const twice = Array.from({ length: 40 }, () => '[@,@]').join('|');
    const json = { objectName: 'json', objectType: 'secretsmanager' };
    box.writeConfig({ objects: [object, json] });
    const running = await ready(fixture, [], limit.command);
    box.writeConfig({ objects: [object, { ...json, jmesPath: [{ path: twice, objectAlias: 'k' }] }] });
    const failed = await running.event('config.invalid');
    assert.is((await running.page('/livez')).status, 200);
    assert.is((await running.page('/readyz')).status, 200);
    await rotate(fixture, 'two');
    await until('the new value', async () => {
      if (box.files().a !== 'two') process.kill(running.pid, 'SIGHUP');
      return box.files().a === 'two';
    });
    assert.is(failed.code, 'sync.killed');
    assert.is((await running.status()).configs[0]?.configProblems[0]?.code, 'sync.killed');
    running.child.kill('SIGTERM');
    await running.ended();
    await limit.remove();
  },
);

worker('a pinned version is fetched again when its file was changed', async (fixture) => {
  const { aws, box } = fixture;
  box.writeConfig({ objects: [{ ...object, objectVersion: pinned }] });
  const running = await ready(fixture);
  await running.refresh();
  assert.is(await aws.count({ operation: 'GetSecretValue' }), 1);
  writeFileSync(join(box.dir, 'a'), 'from another container');
  await running.refresh();
  assert.is(await aws.count({ operation: 'GetSecretValue' }), 2);
  assert.equal(box.files(), { a: 'one' });
});

worker(
  'once the region was found, a sync works while the place where it was found is unavailable',
  async (fixture) => {
    const { aws, box } = fixture;
    box.writeConfig({ objects: [object] });
    const place = { AWS_REGION: '', AWS_EC2_METADATA_SERVICE_ENDPOINT: aws.url };
    const running = await ready(fixture, [], undefined, place);
    await aws.addFault({ on: { service: 'imds' }, does: { kind: 'hang' } });
    await rotate(fixture, 'two');
    await running.refresh();
    assert.equal(box.files(), { a: 'two' });
  },
);

worker('the program starts its worker when it was started by another name', async ({ aws, box }) => {
  box.writeConfig({ objects: [object] });
  const running = start(
    ['sidecar', '--config', box.config, '--dir', box.dir, '--listen', 'off'],
    { ...podIdentityEnv(box, aws, 'pod-token'), PATH: dirname(binary) },
    [basename(binary)],
  );
  await running.says(/sidecar\.ready/);
  running.child.kill('SIGTERM');
  assert.is((await running.ended()).code, 0);
});

for (const what of VICTIMS) {
  worker(
    `kill -9 of the ${what} at random moments: nothing torn, nothing lost, the newest set is notified`,
    async () => {
      const { killed } = await killInSyncs(8, what);
      assert.ok(killed > 0);
    },
  );
}

/** False for a zombie: the test does not reap the process. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

worker.run();
