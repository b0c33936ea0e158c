/** The exec example: the containers of its manifests start the command with the variables of its class. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { type ContainerView, containersIn, injectWith, objectsIn } from '../support/inject.ts';
import { run } from '../support/program.ts';
import { makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';
import { commandsOf, flagValue, readExample, wordsOf } from './readme.ts';

const PROGRAM = '/podsecrets/podsecrets';
const CONFIG = '--config=/etc/podsecrets/config.yaml';
const keys = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const readClass = () => readExample('exec', 'secret-provider-class.yaml');

const example = suite<{ aws: FakeAwsProcess; box: Sandbox }>('the exec example');
example.before(async (context) => {
  const create = wordsOf(commandsOf('exec').find((command) => command.includes('create-secret')) ?? '');
  context.aws = await startFakeAwsProcess({
    identities: {
      app: { role: 'arn:aws:iam::111122223333:role/shop', podIdentityTokens: ['token'] },
      laptop: keys,
    },
    regions: {
      'eu-central-1': {
        parameters: { '/shop/feature-flags': 'search=on' },
        secrets: { [flagValue(create, '--name') ?? '']: flagValue(create, '--secret-string') ?? '' },
      },
    },
  });
  context.box = makeSandbox();
});
example.after(async ({ aws, box }) => {
  await aws.stop();
  box.remove();
});

/** What the container prints, with the config where the test can write it, and without its endless end. */
async function output({ aws, box }: { aws: FakeAwsProcess; box: Sandbox }, container: ContainerView) {
  const [program, ...words] = [...(container.command ?? []), ...(container.args ?? [])];
  assert.is(program, PROGRAM);
  const config = `--config=${box.write('class.yaml', readClass())}`;
  const args = words.map((word) => (word === CONFIG ? config : word.replace('; exec sleep infinity', '')));
  const { code, stdout, stderr } = await run(args, podIdentityEnv(box, aws, 'token'));
  assert.is(code, 0, stderr);
  return stdout;
}

example('the injected deployment becomes the command with the variables', async (place) => {
  const command = commandsOf('exec').find((line) => line.startsWith('podsecrets inject')) ?? '';
  const words = wordsOf(command.split(' | ')[0] ?? '').slice(2);
  const flags = words.filter((_, index) => !['-f', '--config'].includes(words[index - 1] ?? ''));
  const configs = [{ file: 'class.yaml', text: readClass(), dir: undefined }];
  const input = { file: 'deployment.yaml', text: readExample('exec', 'deployment.yaml'), configs };
  const { objects } = await injectWith(
    input,
    flags.filter((word) => !['-f', '--config'].includes(word)).join(' '),
  );
  const [container] = containersIn(objects, 'containers') as readonly [ContainerView];
  assert.is(await output(place, container), 'connecting as shop\n');
});

example(
  'installed.yaml: the program is copied where the application mounts it, and becomes the command',
  async (place) => {
    const objects = objectsIn(readExample('exec', 'installed.yaml'));
    const [install] = containersIn(objects, 'initContainers') as readonly [ContainerView];
    const [container] = containersIn(objects, 'containers') as readonly [ContainerView];
    const mount = (of: ContainerView) =>
      of.volumeMounts?.find(({ name }) => name === 'podsecrets-program')?.mountPath;
    assert.equal(install.args, ['install', mount(install)]);
    assert.is(mount(container), '/podsecrets');
    assert.is(await output(place, container), 'connecting as shop\n');
  },
);

example(
  'the compose file starts the image of docker with the variables that the class of env gives a pod',
  async ({ aws, box }) => {
    const compose = parse(readExample('docker-compose', 'exec.yaml')) as {
      readonly services: {
        readonly shop: {
          readonly build: { readonly context: string };
          readonly environment: Readonly<Record<string, string>>;
          readonly volumes: readonly string[];
        };
      };
    };
    const { build, environment, volumes } = compose.services.shop;
    assert.is(build.context, '../docker');
    assert.equal(Object.keys(environment), ['HOME', 'AWS_PROFILE']);
    const [config = ''] = volumes.filter((volume) => volume.endsWith(':/etc/podsecrets/config.yaml:ro'));
    assert.is(config.split(':')[0], '../env/secret-provider-class.yaml');

    const dockerfile = readExample('docker', 'Dockerfile');
    const wordsAt = (name: string) =>
      JSON.parse(new RegExp(`^${name} (.*)$`, 'm').exec(dockerfile)?.[1] ?? '') as readonly string[];
    const [program, ...words] = [...wordsAt('ENTRYPOINT'), ...wordsAt('CMD')];
    assert.is(program, PROGRAM);
    const command = words.map((word) =>
      word.replace('; exec sleep infinity', '; echo $DB_PASSWORD $FEATURE_FLAGS'),
    );
    const credentials = box.write(
      'credentials',
      `[default]\naws_access_key_id = ${keys.accessKeyId}\naws_secret_access_key = ${keys.secretAccessKey}\n`,
    );
    const env = {
      AWS_PROFILE: 'default',
      AWS_SHARED_CREDENTIALS_FILE: credentials,
      AWS_ENDPOINT_URL: aws.url,
      PODSECRETS_CONFIG: box.write('env-class.yaml', readExample('env', 'secret-provider-class.yaml')),
    };
    const { code, stdout, stderr } = await run(command, env);
    assert.is(code, 0, stderr);
    assert.is(stdout, 'connecting as shop\nfirst search=on\n');
  },
);

example('the class is valid for the CSI driver, which ignores its additional keys', () => {
  const { spec } = parse(readClass()) as { readonly spec: { readonly parameters: object } };
  assert.equal(Object.keys(spec.parameters).sort(), ['objects', 'region', 'usePodIdentity']);
});

example.run();
