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
const readClass = () => readExample('exec', 'secret-provider-class.yaml');

const example = suite<{ aws: FakeAwsProcess; box: Sandbox }>('the exec example');
example.before(async (context) => {
  const create = wordsOf(commandsOf('exec').find((command) => command.includes('create-secret')) ?? '');
  context.aws = await startFakeAwsProcess({
    identities: { app: { role: 'arn:aws:iam::111122223333:role/shop', podIdentityTokens: ['token'] } },
    regions: {
      'eu-central-1': {
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

example('the class is valid for the CSI driver, which ignores its additional keys', () => {
  const { spec } = parse(readClass()) as { readonly spec: { readonly parameters: object } };
  assert.equal(Object.keys(spec.parameters).sort(), ['objects', 'region', 'usePodIdentity']);
});

example.run();
