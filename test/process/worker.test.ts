/**
 * Each sync of the built sidecar runs in a worker process: its memory is freed when it ends, and a crash costs one sync.
 */

import { execFileSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as assert from 'uvu/assert';
import { canary } from '../support/canary.ts';
import { openMemoryLimit } from '../support/memory-limit.ts';
import { textsInMemory } from '../support/process-memory.ts';
import { childrenOf, isRunning } from '../support/processes.ts';
import { binary, run, start } from '../support/program.ts';
import { podIdentityEnv } from '../support/sandbox.ts';
import type { Sidecar } from '../support/sidecar.ts';
import { region, type SidecarFixture, sidecarSuite, startReady } from '../support/sidecar-suite.ts';
import { until } from '../support/wait.ts';
import { killInSyncs } from '../support/worker-kills.ts';

const pinned = '11111111-1111-4111-8111-111111111111';
const MEBIBYTE = 1024 * 1024;

const worker = sidecarSuite('the worker of a sidecar', {
  a: { versions: [{ id: pinned, string: 'one' }] },
  json: '{"k":[1]}',
});

const object = { objectName: 'a', objectType: 'secretsmanager' };
const rotate = ({ aws }: SidecarFixture, string: string) => aws.putSecret({ region, name: 'a', string });
const hang = ({ aws }: SidecarFixture) =>
  aws.addFault({ on: { service: 'secretsmanager' }, does: { kind: 'hang' } });

/** A sync that waits for AWS, and its process. */
async function hangingWorker(fixture: SidecarFixture, running: Sidecar): Promise<number> {
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
  const running = await startReady(fixture, ['--notify-exec', JSON.stringify(hook)]);
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
  const running = await startReady(fixture);
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
    const running = await startReady(fixture);
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
  const running = await startReady(fixture);
  const limitDescriptors = (limit: number) =>
    execFileSync('prlimit', ['--pid', String(running.pid), `--nofile=${limit}:1024`]);
  limitDescriptors(3);
  process.kill(running.pid, 'SIGHUP');
  const rejected = () => running.events('sync.failed').find(({ code }) => code === 'sync.killed');
  await until('the problem of the worker', () => running.hasEnded() || rejected() !== undefined);
  assert.match(String(rejected()?.message), 'its process cannot be started (EMFILE)');
  assert.match(String(rejected()?.remedy), 'open files');
  await rotate(fixture, 'two');
  limitDescriptors(1024);
  await running.event('sync.recovered');
  assert.equal(box.files(), { a: 'two' });
  assert.equal((await running.status()).configs[0]?.configProblems, []);
});

for (const kind of ['sync', 'notify', 'exec', 'other']) {
  worker(`worker ${kind} on the command line is a usage error`, async () => {
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
  const running = await startReady(fixture);
  const pid = await hangingWorker(fixture, running);
  process.kill(running.pid, 'SIGKILL');
  await until('the end of the worker', () => !isRunning(pid));
});

worker('SIGTERM aborts a sync that waits for AWS and ends its worker', async (fixture) => {
  fixture.box.writeConfig({ objects: [object] });
  const running = await startReady(fixture);
  const pid = await hangingWorker(fixture, running);
  process.kill(running.pid, 'SIGTERM');
  assert.is((await running.ended()).code, 0);
  assert.not.ok(isRunning(pid));
});

for (const [what, edit] of [
  [
    'is a named pipe',
    ({ box }: SidecarFixture) => {
      execFileSync('mkfifo', [join(box.root, 'pipe')]);
      renameSync(join(box.root, 'pipe'), box.config);
    },
  ],
  ['has 500 KB of brackets', ({ box }: SidecarFixture) => writeFileSync(box.config, '['.repeat(500_000))],
] as const) {
  worker(`an edited config that ${what} neither ends the sidecar nor changes the files`, async (fixture) => {
    const { box } = fixture;
    box.writeConfig({ objects: [object] });
    const running = await startReady(fixture);
    edit(fixture);
    const { level } = await running.event('config.invalid');
    assert.is(level, 'error');
    assert.is((await running.page('/livez')).status, 200);
    assert.is((await running.page('/readyz')).status, 200);
    assert.ok(((await running.status()).configs[0]?.configProblems.length ?? 0) > 0);
    await rotate(fixture, 'two');
    await running.refresh();
    await until('the new value', () => box.text('a') === 'two');
  });
}

worker(
  'an edited JMESPath that exhausts the memory ends one worker, and the previous config stays in use',
  async (fixture) => {
    const { box } = fixture;
    const limit = openMemoryLimit('a JMESPath that multiplies', 256 * MEBIBYTE, binary);
    if (limit === undefined) return;
    // Each turn at least doubles the text. A list that has the same value twice would need no memory.
    const twice = Array.from({ length: 40 }, () => 'to_string([@,@])').join('|');
    const json = { objectName: 'json', objectType: 'secretsmanager' };
    box.writeConfig({ objects: [object, json] });
    const running = await startReady(fixture, [], { command: limit.command });
    box.writeConfig({ objects: [object, { ...json, jmesPath: [{ path: twice, objectAlias: 'k' }] }] });
    const failed = await running.event('config.invalid');
    assert.is((await running.page('/livez')).status, 200);
    assert.is((await running.page('/readyz')).status, 200);
    await rotate(fixture, 'two');
    await until('the new value', async () => {
      if (box.files().a !== 'two') process.kill(running.pid, 'SIGHUP');
      return box.text('a') === 'two';
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
  const running = await startReady(fixture);
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
    const running = await startReady(fixture, [], { env: place });
    await aws.addFault({ on: { service: 'imds' }, does: { kind: 'hang' } });
    await rotate(fixture, 'two');
    await running.refresh();
    assert.equal(box.files(), { a: 'two' });
  },
);

worker('the program starts its worker when it was started under another name', async ({ aws, box }) => {
  box.writeConfig({ objects: [object] });
  const running = start(
    ['sidecar', '--config', box.config, '--dir', box.dir, '--listen', 'off'],
    { ...podIdentityEnv(box, aws, 'pod-token'), PATH: dirname(binary) },
    [basename(binary)],
  );
  await running.prints(/sidecar\.ready/);
  running.child.kill('SIGTERM');
  assert.is((await running.ended()).code, 0);
});

// More of them, and kills of the sidecar, are in soak/worker-kill.
for (const what of ['worker', 'notify worker'] as const) {
  worker(
    `kill -9 of the ${what} at random moments: nothing torn, nothing lost, the newest generation is notified`,
    async () => {
      const { killed } = await killInSyncs(8, what, 3);
      assert.ok(killed > 0);
    },
  );
}

worker.run();
