/**
 * The documented memory limits hold for a first start on a node, whose page cache has nothing of the program.
 *
 * Below the floor a start takes many seconds or never ends: the kernel drops pages of the program that it has to read again
 * at once, and kills nothing. Medians of three on two cores, in seconds, for init with one secret: 0.2 with a limit of 128
 * MiB, 0.5 with 80, 0.6 with 72, 3 with 64, 9 with 56, more than 30 with 48.
 */

import { readdirSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MEMORY_FLOOR } from '../../src/core/memory-floor.ts';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { type ColdStarts, openColdStarts } from '../support/cold-start.ts';
import { makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';

/** MiB. */
const FLOOR = MEMORY_FLOOR / (1024 * 1024);
const DEFAULT = 128;

const names = Array.from({ length: 200 }, (_, at) => `secret-${at}`);
const secrets = Object.fromEntries(names.map((name) => [name, 'x'.repeat(65_536)]));
const seed = {
  identities: { app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: ['pod-token'] } },
  regions: { 'eu-west-1': { secrets: { ...secrets, one: 'hunter2' } } },
};

interface Context {
  readonly box: Sandbox;
  readonly aws: FakeAwsProcess;
  readonly env: Readonly<Record<string, string>>;
}

const test = suite<Context>('a start with a cold page cache');
test.before.each(async (context) => {
  const [box, aws] = [makeSandbox(), await startFakeAwsProcess(seed)];
  Object.assign(context, { box, aws, env: podIdentityEnv(box, aws, 'pod-token') });
});
test.after.each(async ({ box, aws }) => {
  await aws.stop();
  box.remove();
});

const objects = (list: readonly string[]) =>
  list.map((objectName) => ({ objectName, objectType: 'secretsmanager' }));
const common = ({ config, dir }: Sandbox) => ['--config', config, '--dir', dir];

/** Runs `scenario` below this limit, where that can be had. */
async function below(limit: number, scenario: (cold: ColdStarts) => Promise<void>): Promise<void> {
  const cold = openColdStarts(`a cold start below ${limit} MiB`, limit);
  if (cold === undefined) return;
  try {
    await scenario(cold);
  } finally {
    await cold.close();
  }
}

test(`${FLOOR} MiB are enough for init with one secret`, async ({ box, env }) => {
  box.writeConfig({ usePodIdentity: 'true', objects: objects(['one']) });
  await below(FLOOR, async (cold) => {
    const { code, stderr } = await (await cold.start(['init', ...common(box)], env)).ended();
    assert.is(code, 0, stderr);
    assert.equal(box.files(), { one: 'hunter2' });
  });
});

test(`${FLOOR} MiB are enough for a sidecar with one secret, and for its rotation`, async ({
  box,
  aws,
  env,
}) => {
  box.writeConfig({ usePodIdentity: 'true', objects: objects(['one']) });
  await below(FLOOR, async (cold) => {
    const words = ['sidecar', ...common(box), '--listen=off', '--interval=1s'];
    const sidecar = await cold.start(words, env);
    await sidecar.prints(/ready/);
    await aws.putSecret({ region: 'eu-west-1', name: 'one', string: 'hunter3' });
    await sidecar.prints(/1 updated/);
    assert.equal(box.files(), { one: 'hunter3' });
    sidecar.child.kill('SIGTERM');
    assert.is((await sidecar.ended()).code, 0);
  });
});

test(`${DEFAULT} MiB, the default, are enough for 200 secrets of 64 KiB`, async ({ box, env }) => {
  box.writeConfig({ usePodIdentity: 'true', objects: objects(names) });
  await below(DEFAULT, async (cold) => {
    const { code, stderr } = await (await cold.start(['init', ...common(box)], env)).ended();
    assert.is(code, 0, stderr);
    assert.is(readdirSync(box.dir).filter((name) => !name.startsWith('.')).length, names.length);
  });
});

test(`${DEFAULT} MiB are enough for a sidecar with 200 secrets of 64 KiB, and for a change of all of them`, async ({
  box,
  aws,
  env,
}) => {
  box.writeConfig({ usePodIdentity: 'true', objects: objects(names) });
  await below(DEFAULT, async (cold) => {
    const sidecar = await cold.start(['sidecar', ...common(box), '--listen=off', '--interval=1h'], env);
    await sidecar.prints(/sidecar\.ready/);
    for (const name of names) await aws.putSecret({ region: 'eu-west-1', name, string: 'y'.repeat(65_536) });
    process.kill(sidecar.pid, 'SIGHUP');
    await sidecar.prints(/[1-9]\d* updated|sync\.failed/);
    assert.match(sidecar.stderr(), /200 updated/);
    sidecar.child.kill('SIGTERM');
    assert.is((await sidecar.ended()).code, 0);
  });
});

test.run();
