/** On EC2 and ECS: the region and the identity come from the machine, by the real addresses of its services. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { INSTANCE_REGION } from '../fake-aws/instance-metadata.ts';
import { type MetadataMachine, startMetadataMachine } from '../support/metadata-machine.ts';
import { makeSandbox, type Sandbox } from '../support/sandbox.ts';

const seed = {
  identities: {
    machine: { role: 'arn:aws:iam::111122223333:role/machine', instanceRole: true },
    task: { role: 'arn:aws:iam::111122223333:role/task', podIdentityTokens: ['task-token'] },
  },
  regions: {
    [INSTANCE_REGION]: { secrets: { db: 'of the instance' } },
    'eu-central-1': { secrets: { db: 'of the profile' } },
    'us-east-1': { secrets: { db: 'of AWS_DEFAULT_REGION' } },
  },
};

interface Place {
  machine: MetadataMachine | undefined;
  box: Sandbox;
}

const test = suite<Place>('outside Kubernetes');
test.before(async (place) => {
  place.machine = await startMetadataMachine('the region and the role of an instance', seed);
});
test.after(({ machine }) => machine?.stop());
test.before.each((place) => {
  place.box = makeSandbox();
  place.box.writeConfig({ objects: [{ objectName: 'db', objectType: 'secretsmanager' }] });
});
test.after.each(({ box }) => box.remove());

const profile = '[default]\nregion = eu-central-1\n';

/** Runs a command on the machine, without a region in the config and in AWS_REGION. */
async function running(
  { box }: Place,
  machine: MetadataMachine,
  command: string,
  env: Record<string, string> = {},
) {
  return await machine.run([command, '--config', box.config, '--dir', box.dir], {
    HOME: box.root,
    AWS_CONFIG_FILE: `${box.root}/profiles`,
    AWS_ENDPOINT_URL: machine.url,
    ...env,
  });
}

test('uses the region and the role of the instance metadata service', async (place) => {
  const { machine, box } = place;
  if (machine === undefined) return;
  const { code, stderr } = await running(place, machine, 'init');
  assert.is(code, 0, stderr);
  assert.equal(box.files(), { db: 'of the instance' });
  assert.match(stderr, 'authenticating with instance role');
  const doctor = await running(place, machine, 'doctor');
  assert.match(doctor.stdout, `${INSTANCE_REGION}, from the instance metadata service`);
});

test('prefers AWS_DEFAULT_REGION to the profile, and the profile to the instance', async (place) => {
  const { machine, box } = place;
  if (machine === undefined) return;
  box.write('profiles', profile);
  assert.is((await running(place, machine, 'init')).code, 0);
  assert.equal(box.files(), { db: 'of the profile' });
  assert.is((await running(place, machine, 'init', { AWS_DEFAULT_REGION: 'us-east-1' })).code, 0);
  assert.equal(box.files(), { db: 'of AWS_DEFAULT_REGION' });
});

test('in an ECS task uses the region of the instance and the role of the task', async (place) => {
  const { machine, box } = place;
  if (machine === undefined) return;
  const { code, stderr } = await running(place, machine, 'init', {
    AWS_EXECUTION_ENV: 'AWS_ECS_EC2',
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v1/credentials',
    AWS_CONTAINER_AUTHORIZATION_TOKEN: 'task-token',
  });
  assert.is(code, 0, stderr);
  assert.match(stderr, 'authenticating with ECS task role');
  assert.equal(box.files(), { db: 'of the instance' });
});

test('without a region anywhere, the error names every place', async (place) => {
  const { machine } = place;
  if (machine === undefined) return;
  const { code, lastLine } = await running(place, machine, 'init', {
    AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:1',
    AWS_PROFILE: 'dev',
  });
  assert.is(code, 3);
  assert.match(
    lastLine,
    'got none here and none in AWS_REGION, AWS_DEFAULT_REGION, the profile dev, the instance metadata service (ECONNREFUSED)',
  );
});

test('in a pod the region comes neither from the instance nor from a profile', async (place) => {
  const { machine, box } = place;
  if (machine === undefined) return;
  box.write('profiles', profile);
  const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1', AWS_DEFAULT_REGION: 'us-east-1' };
  const { code, lastLine } = await running(place, machine, 'init', env);
  assert.is(code, 3);
  assert.match(lastLine, 'got none here and none in AWS_REGION.');
});

test.run();
