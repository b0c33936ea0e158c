/** A pod without an identity of its own: it does not become the node that it runs on, unless somebody says so. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { run, start } from '../support/program.ts';
import { makeSandbox, type Sandbox } from '../support/sandbox.ts';

const NODE = 'arn:aws:iam::111122223333:role/node';
const seed = {
  identities: {
    node: { role: NODE, instanceRole: true },
    operator: { accessKeyId: 'AKIAOPERATOR', secretAccessKey: 'secret-key' },
  },
  regions: { 'eu-west-1': { secrets: { db: 'hunter2' } } },
};

const test = suite<{ aws: FakeAwsProcess; box: Sandbox }>('the role of the node');
test.before(async (context) => {
  context.aws = await startFakeAwsProcess(seed);
});
test.after(({ aws }) => aws.stop());
test.before.each(async (context) => {
  await context.aws.reset();
  context.box = makeSandbox();
  // As in 43 of 45 files that were looked at: nothing about the identity.
  context.box.writeConfig({ objects: [{ objectName: 'db', objectType: 'secretsmanager' }] });
});
test.after.each(({ box }) => box.remove());

interface House {
  readonly aws: FakeAwsProcess;
  readonly box: Sandbox;
}

/** Variables of a pod without an injected identity, on a node whose metadata service gives a role away. */
const podEnv = ({ aws, box }: House): Record<string, string> => ({
  AWS_REGION: 'eu-west-1',
  AWS_ENDPOINT_URL: aws.url,
  AWS_EC2_METADATA_SERVICE_ENDPOINT: aws.url,
  KUBERNETES_SERVICE_HOST: '10.0.0.1',
  HOME: box.root,
});

const args = ({ box }: House, command: string, ...flags: string[]) => [
  command,
  '--config',
  box.config,
  '--dir',
  box.dir,
  ...flags,
];

for (const command of ['init', 'sidecar', 'doctor']) {
  test(`${command} refuses at once, and names the ways to an identity`, async (house) => {
    const more = command === 'sidecar' ? ['--listen', 'off'] : [];
    const ended = await run(args(house, command, ...more), podEnv(house));
    const said = ended.stdout + ended.stderr;
    assert.is(ended.code, 4, said);
    assert.match(said, /Pod Identity association.*eks\.amazonaws\.com\/role-arn.*--auth default/);
    assert.match(said, 'credentials.variables');
    assert.not.match(said, 'start.retrying');
    assert.equal(house.box.files(), {});
    assert.is(await house.aws.count({ service: 'imds' }), 0);
  });
}

test('a profile does not lead there either', async (house) => {
  house.box.write(
    'profiles',
    `[profile app]\nrole_arn = ${NODE}\nsource_profile = base\n[profile base]\nrole_arn = ${NODE}\ncredential_source = Ec2InstanceMetadata\n`,
  );
  const { code, stderr } = await run(args(house, 'init'), {
    ...podEnv(house),
    AWS_CONFIG_FILE: `${house.box.root}/profiles`,
    AWS_PROFILE: 'app',
  });
  assert.is(code, 4, stderr);
  assert.match(stderr, /profile app: .*Ec2InstanceMetadata/);
  assert.is(await house.aws.count({ service: 'imds' }), 0);
});

test('keys in the environment serve a pod as before', async (house) => {
  const { code, stderr } = await run(args(house, 'init'), {
    ...podEnv(house),
    AWS_ACCESS_KEY_ID: 'AKIAOPERATOR',
    AWS_SECRET_ACCESS_KEY: 'secret-key',
  });
  assert.is(code, 0, stderr);
  assert.match(stderr, 'authenticating with environment keys');
});

test('--auth default written out uses it, with a warning', async (house) => {
  const { code, stderr } = await run(args(house, 'init', '--auth', 'default'), podEnv(house));
  assert.is(code, 0, stderr);
  assert.match(stderr, /credentials\.nodeRole/);
  assert.match(stderr, 'authenticating with instance role');
  assert.equal(house.box.files(), { db: 'hunter2' });
});

test('doctor warns of it, and says which link served', async (house) => {
  const { code, stdout } = await run(args(house, 'doctor', '--auth', 'default'), podEnv(house));
  assert.is(code, 0, stdout);
  assert.match(
    stdout,
    /warn +identity +arn:aws:sts::111122223333:assumed-role\/node\/\S+, via instance role;/,
  );
  assert.match(stdout, '[credentials.nodeRole]');
});

test('outside Kubernetes the role of the instance is a good identity', async (house) => {
  const { KUBERNETES_SERVICE_HOST: _, ...host } = podEnv(house);
  const { code, stderr } = await run(args(house, 'init'), host);
  assert.is(code, 0, stderr);
  assert.match(stderr, 'authenticating with instance role');
  assert.not.match(stderr, 'credentials.nodeRole');
});

test('the status page names the link', async (house) => {
  const sidecar = start(
    args(house, 'sidecar', '--auth', 'default', '--listen', '127.0.0.1:0'),
    podEnv(house),
  );
  try {
    await sidecar.says(/sidecar\.ready/);
    const [, address = ''] = /listen"?[=:]"?(127\.0\.0\.1:\d+)/.exec(sidecar.stderr()) ?? [];
    const { credentials } = (await (await fetch(`http://${address}/status`)).json()) as {
      readonly credentials: { readonly source: string; readonly servedBy: string };
    };
    assert.is(credentials.source, 'default');
    assert.is(credentials.servedBy, 'instance role');
    const status = await run(['status', '--listen', address]);
    assert.match(status.stdout, 'credentials of default (instance role) expire in');
  } finally {
    sidecar.child.kill();
    await sidecar.ended;
  }
});

test.run();
