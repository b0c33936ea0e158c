/**
 * Calls to AWS cost money and quota: how many a start and a refresh of the built program make for 20 secrets and 20
 * parameters that did not change, as the fake AWS's journal has them. The AWS provider of the CSI driver needs 20
 * GetSecretValue and 2 GetParameters for the same.
 *
 * At the default interval a pod refreshes 4,320 times in 30 days; Secrets Manager takes 0.05 USD for 10,000 calls, Parameter
 * Store's standard throughput nothing.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { run } from '../support/program.ts';
import { makeSandbox, podIdentityEnv } from '../support/sandbox.ts';
import { startSidecar } from '../support/sidecar.ts';

const region = 'eu-west-1';
const COUNT = 20;
const REFRESHES_PER_MONTH = 30 * 24 * 6;
const USD_PER_CALL = 0.05 / 10_000;

const secrets = Array.from({ length: COUNT }, (_, at) => `secret-${at}`);
const parameters = Array.from({ length: COUNT }, (_, at) => `/parameter-${at}`);
const pinned = '11111111-1111-4111-8111-111111111111';
const allOf = <V>(names: readonly string[], value: V) =>
  Object.fromEntries(names.map((name) => [name, value]));
const seed = {
  identities: { app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: ['pod-token'] } },
  regions: {
    [region]: {
      secrets: allOf(secrets, { versions: [{ id: pinned, string: 'x' }, { string: 'y' }] }),
      parameters: allOf(parameters, 'x'),
    },
  },
};

const calls = suite<{ aws: FakeAwsProcess }>('calls of a refresh');
calls.before(async (context) => {
  context.aws = await startFakeAwsProcess(seed);
});
calls.before.each(({ aws }) => aws.reset());
calls.after(({ aws }) => aws.stop());

const secret = (objectName: string) => ({ objectName, objectType: 'secretsmanager' });
const parameter = (objectName: string) => ({ objectName, objectType: 'ssmparameter' });
const everything: readonly object[] = [...secrets.map(secret), ...parameters.map(parameter)];

/** How often each operation was called, in the first sync and in a refresh. */
async function callsOf(aws: FakeAwsProcess, objects: readonly object[], flags: readonly string[]) {
  const box = makeSandbox();
  box.writeConfig({ objects });
  const running = await startSidecar(
    ['--config', box.config, '--dir', box.dir, ...flags],
    podIdentityEnv(box, aws, 'pod-token'),
  );
  try {
    await running.event('sidecar.ready');
    const first = await operations(aws);
    await running.refresh();
    // One event for each config.
    const configs = 1 + flags.filter((flag) => flag === '--config').length;
    await running.event('publish.unchanged', configs);
    assert.is(running.events('publish.unchanged').length, configs);
    return { first, refresh: await operations(aws) };
  } finally {
    running.child.kill('SIGKILL');
    await running.ended();
    box.remove();
  }
}

async function operations(aws: FakeAwsProcess): Promise<Readonly<Record<string, number>>> {
  const made = await aws.calls();
  await aws.clearCalls();
  return Object.fromEntries(
    [...Map.groupBy(made, ({ operation }) => operation)]
      .map(([operation, of]) => [operation, of.length])
      .sort(),
  );
}

/** The calls of `podsecrets init`. */
async function callsOfInit(aws: FakeAwsProcess, objects: readonly object[], flags: readonly string[]) {
  const box = makeSandbox();
  box.writeConfig({ objects });
  const args = ['init', '--config', box.config, '--dir', box.dir, ...flags];
  const { code, stderr } = await run(args, podIdentityEnv(box, aws, 'pod-token'));
  assert.is(code, 0, stderr);
  box.remove();
  return await operations(aws);
}

/** US cents that a pod pays for a month of such refreshes. */
function centsPerMonth({
  GetSecretValue = 0,
  BatchGetSecretValue = 0,
}: Readonly<Record<string, number>>): number {
  const cents = (GetSecretValue + BatchGetSecretValue) * REFRESHES_PER_MONTH * USD_PER_CALL * 100;
  return Math.round(cents * 100) / 100;
}

for (const [mode, expected, cents] of [
  ['auto', { BatchGetSecretValue: 1, GetParameters: 2 }, 2.16],
  ['batch', { BatchGetSecretValue: 1, GetParameters: 2 }, 2.16],
  ['single', { GetParameters: 2, GetSecretValue: 20 }, 43.2],
] as const) {
  calls(`--fetch ${mode}: ${JSON.stringify(expected)}, ${cents} cents a month`, async ({ aws }) => {
    const { first, refresh } = await callsOf(aws, everything, ['--fetch', mode]);
    assert.equal(refresh, expected);
    // With auto the start reads singly. It makes one more call, for the credentials.
    const start = mode === 'auto' ? { GetParameters: 2, GetSecretValue: 20 } : expected;
    assert.equal(first, { ...start, GetCredentials: 1 });
    assert.is(centsPerMonth(refresh), cents);
    assert.equal(await callsOfInit(aws, everything, ['--fetch', mode]), first);
  });
}

calls(
  '--fetch auto without permission for BatchGetSecretValue tries it once, and then calls what the provider calls',
  async ({ aws }) => {
    await aws.changeIdentity({ name: 'app', deny: [{ action: 'secretsmanager:BatchGetSecretValue' }] });
    const { first, refresh } = await callsOf(aws, everything, []);
    assert.equal(first, { GetCredentials: 1, GetParameters: 2, GetSecretValue: 20 });
    assert.equal(refresh, { BatchGetSecretValue: 1, GetParameters: 2, GetSecretValue: 20 });
  },
);

calls('a pinned version is fetched once', async ({ aws }) => {
  const { first, refresh } = await callsOf(
    aws,
    [
      ...secrets.map((name) => ({ ...secret(name), objectVersion: pinned })),
      ...parameters.map((name) => ({ ...parameter(name), objectVersion: '1' })),
    ],
    [],
  );
  assert.equal(first, { GetCredentials: 1, GetParameters: 2, GetSecretValue: 20 });
  assert.equal(refresh, {});
});

calls('two configs with the same objects share each call', async ({ aws }) => {
  const box = makeSandbox();
  const other = box.writeConfig({ objects: everything });
  const { refresh } = await callsOf(aws, everything, ['--config', `${other}=${box.root}/other`]);
  assert.equal(refresh, { BatchGetSecretValue: 1, GetParameters: 2 });
  box.remove();
});

calls.run();
