/** A pod without an identity of its own does not use the role of its node, unless --auth default allows it. */

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
  // As in 43 of 45 examined files: nothing about the identity.
  context.box.writeConfig({ objects: [{ objectName: 'db', objectType: 'secretsmanager' }] });
});
test.after.each(({ box }) => box.remove());

interface Fixture {
  readonly aws: FakeAwsProcess;
  readonly box: Sandbox;
}

/** Variables of a pod without an injected identity, on a node whose metadata service returns the node's role. */
const podEnv = ({ aws, box }: Fixture): Record<string, string> => ({
  AWS_REGION: 'eu-west-1',
  AWS_ENDPOINT_URL: aws.url,
  AWS_EC2_METADATA_SERVICE_ENDPOINT: aws.url,
  KUBERNETES_SERVICE_HOST: '10.0.0.1',
  HOME: box.root,
});

const args = ({ box }: Fixture, command: string, ...flags: string[]) => [
  command,
  '--config',
  box.config,
  '--dir',
  box.dir,
  ...flags,
];

for (const command of ['init', 'sidecar', 'doctor']) {
  test(`${command} fails at once, and names the ways to get an identity`, async (fixture) => {
    const more = command === 'sidecar' ? ['--listen', 'off'] : [];
    const ended = await run(args(fixture, command, ...more), podEnv(fixture));
    const output = ended.stdout + ended.stderr;
    assert.is(ended.code, 4, output);
    assert.match(output, /Pod Identity association.*eks\.amazonaws\.com\/role-arn.*--auth default/);
    assert.match(output, 'credentials.variables');
    assert.not.match(output, 'start.retrying');
    assert.equal(fixture.box.files(), {});
    assert.is(await fixture.aws.count({ service: 'imds' }), 0);
  });
}

test('a profile does not use the role of the node either', async (fixture) => {
  fixture.box.write(
    'profiles',
    `[profile app]\nrole_arn = ${NODE}\nsource_profile = base\n[profile base]\nrole_arn = ${NODE}\ncredential_source = Ec2InstanceMetadata\n`,
  );
  const { code, stderr } = await run(args(fixture, 'init'), {
    ...podEnv(fixture),
    AWS_CONFIG_FILE: `${fixture.box.root}/profiles`,
    AWS_PROFILE: 'app',
  });
  assert.is(code, 4, stderr);
  assert.match(stderr, /profile app: .*Ec2InstanceMetadata/);
  assert.is(await fixture.aws.count({ service: 'imds' }), 0);
});

test('keys in the environment work in a pod', async (fixture) => {
  const { code, stderr } = await run(args(fixture, 'init'), {
    ...podEnv(fixture),
    AWS_ACCESS_KEY_ID: 'AKIAOPERATOR',
    AWS_SECRET_ACCESS_KEY: 'secret-key',
  });
  assert.is(code, 0, stderr);
  assert.match(stderr, 'authenticating with environment keys');
});

test('an explicit --auth default uses it, with a warning', async (fixture) => {
  const { code, stderr } = await run(args(fixture, 'init', '--auth', 'default'), podEnv(fixture));
  assert.is(code, 0, stderr);
  assert.match(stderr, /credentials\.nodeRole/);
  assert.match(stderr, 'authenticating with instance role');
  assert.equal(fixture.box.files(), { db: 'hunter2' });
});

test('doctor warns about it, and names the link of the chain', async (fixture) => {
  const { code, stdout } = await run(args(fixture, 'doctor', '--auth', 'default'), podEnv(fixture));
  assert.is(code, 0, stdout);
  assert.match(
    stdout,
    /warn +identity +arn:aws:sts::111122223333:assumed-role\/node\/\S+, via instance role;/,
  );
  assert.match(stdout, '[credentials.nodeRole]');
});

test('uses the role of the instance outside Kubernetes', async (fixture) => {
  const { KUBERNETES_SERVICE_HOST: _, ...host } = podEnv(fixture);
  const { code, stderr } = await run(args(fixture, 'init'), host);
  assert.is(code, 0, stderr);
  assert.match(stderr, 'authenticating with instance role');
  assert.not.match(stderr, 'credentials.nodeRole');
});

test('the status page names the link', async (fixture) => {
  const sidecar = start(
    args(fixture, 'sidecar', '--auth', 'default', '--listen', '127.0.0.1:0'),
    podEnv(fixture),
  );
  try {
    await sidecar.prints(/sidecar\.ready/);
    const [, address = ''] = /listen"?[=:]"?(127\.0\.0\.1:\d+)/.exec(sidecar.stderr()) ?? [];
    const { credentials } = (await (await fetch(`http://${address}/status`)).json()) as {
      readonly credentials: { readonly source: string; readonly provider: string };
    };
    assert.is(credentials.source, 'default');
    assert.is(credentials.provider, 'instance role');
    const status = await run(['status', '--listen', address]);
    assert.match(status.stdout, 'credentials of the default chain (instance role) expire in');
  } finally {
    sidecar.child.kill();
    await sidecar.ended();
  }
});

test.run();
