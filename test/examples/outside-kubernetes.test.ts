/** The examples of exec outside Kubernetes: their commands run, at the addresses of ECS and EC2, and start the application with its variables. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { isAllowed } from '../support/allowed.ts';
import { type MetadataMachine, startMetadataMachine } from '../support/metadata-machine.ts';
import { binary } from '../support/program.ts';
import { makeSandbox, type Sandbox } from '../support/sandbox.ts';
import { commandsOf, examplesRoot, flagValue, readExample, wordsOf } from './readme.ts';

const secretString = (example: string) => {
  const create = commandsOf(example).find((command) => command.includes('create-secret')) ?? '';
  return flagValue(wordsOf(create), '--secret-string') ?? '';
};
const secrets = { 'shop/db': secretString('ecs') };
const seed = {
  identities: {
    instance: { role: 'arn:aws:iam::111122223333:role/instance', instanceRole: true },
    task: { role: 'arn:aws:iam::111122223333:role/shop', podIdentityTokens: ['task-token'] },
    user: { accessKeyId: 'AKIAUSER', secretAccessKey: 'secret-key' },
  },
  regions: { 'eu-central-1': { secrets }, 'eu-west-1': { secrets } },
};

interface Place {
  machine: MetadataMachine | undefined;
  box: Sandbox;
}

const test = suite<Place>('examples outside Kubernetes');
test.before(async (place) => {
  place.machine = await startMetadataMachine('the examples of ECS, EC2 and Docker', seed);
});
test.after(({ machine }) => machine?.stop());
test.before.each((place) => {
  place.box = makeSandbox();
});
test.after.each(({ box }) => box.remove());

interface Container {
  readonly entryPoint: readonly string[];
  readonly command: readonly string[];
  readonly environment: readonly { readonly name: string; readonly value: string }[];
  readonly linuxParameters: unknown;
}

/** The arguments of podsecrets in an entry point, with a command that prints and ends instead of the application's. */
function printing(entryPoint: readonly string[], command: readonly string[]): readonly string[] {
  assert.equal(entryPoint, ['/podsecrets/podsecrets', 'exec', '--']);
  assert.match(command.at(-1) ?? '', /; exec sleep infinity$/);
  return [...entryPoint.slice(1), ...command.map((word) => word.replace('; exec sleep infinity', ''))];
}

test('ecs: the entry point starts the application with the variables of the task role', async ({
  machine,
}) => {
  const text = readExample('ecs', 'exec-task-definition.json');
  const task = JSON.parse(text) as { readonly containerDefinitions: readonly Container[] };
  const [app] = task.containerDefinitions;
  assert.ok(app);
  assert.equal(app.linuxParameters, { initProcessEnabled: true });
  assert.not.match(text, 'first');
  const env = Object.fromEntries(app.environment.map(({ name, value }) => [name, value]));
  assert.is(env.SHOP_SPC, readExample('ecs', 'exec-config.yaml'));
  assert.match(readExample('ecs', 'exec.Dockerfile'), 'COPY --from=podsecrets /podsecrets /podsecrets');
  if (machine === undefined) return;
  const { code, stdout, stderr } = await machine.run(printing(app.entryPoint, app.command), {
    ...env,
    AWS_EXECUTION_ENV: 'AWS_ECS_FARGATE',
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v1/credentials',
    AWS_CONTAINER_AUTHORIZATION_TOKEN: 'task-token',
    AWS_ENDPOINT_URL: machine.url,
  });
  assert.equal([code, stdout], [0, 'connecting as shop\n'], stderr);
});

test('docker: the entry point of the image starts the application with a profile of the user', async ({
  machine,
  box,
}) => {
  const dockerfile = readExample('docker', 'Dockerfile');
  const words = (instruction: string) =>
    JSON.parse(new RegExp(`^${instruction} (\\[.*\\])$`, 'm').exec(dockerfile)?.[1] ?? '[]') as string[];
  const run = wordsOf(commandsOf('docker').find((command) => command.startsWith('docker run')) ?? '');
  assert.ok(run.includes('PODSECRETS_CONFIG=env:SHOP_SPC'));
  assert.ok(run.includes('SHOP_SPC='));
  if (machine === undefined) return;
  const profile = '[default]\naws_access_key_id = AKIAUSER\naws_secret_access_key = secret-key\n';
  const { code, stdout, stderr } = await machine.run(printing(words('ENTRYPOINT'), words('CMD')), {
    PODSECRETS_CONFIG: 'env:SHOP_SPC',
    SHOP_SPC: readExample('docker', 'config.yaml'),
    AWS_SHARED_CREDENTIALS_FILE: box.write('credentials', profile),
    AWS_PROFILE: 'default',
    AWS_REGION: 'eu-central-1',
    AWS_ENDPOINT_URL: machine.url,
  });
  assert.equal([code, stdout], [0, 'connecting as shop\n'], stderr);
});

const units = ['shop.service', 'shop-files.service'];
const setting = (unit: string, name: string) =>
  new RegExp(`^${name}=(.*)$`, 'm').exec(readExample('ec2', unit))?.[1] ?? '';

for (const unit of units)
  test(`ec2: systemd accepts ${unit}`, ({ box }) => {
    if (!isAllowed(`units of systemd (${unit})`, ['systemd-analyze', '--version'])) return;
    // Only programs that exist are accepted.
    const text = readExample('ec2', unit).replaceAll(/\/usr\/local\/bin\/\w+/g, '/bin/true');
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', box.write(unit, text)], {
      encoding: 'utf8',
    });
    assert.equal([status, stderr.split('\n').filter((line) => line.includes(unit))], [0, []], stderr);
  });

/** Runs the words of a line of a unit on the machine, with the files of the example. */
async function runLine({ machine, box }: Place, line: string, replaced: Readonly<Record<string, string>>) {
  const [program, ...words] = line.split(' ').map((word) => replaced[word] ?? word);
  assert.is(program, '/usr/local/bin/podsecrets');
  const config = join(examplesRoot, 'ec2', 'config.yaml');
  const args = words.map((word) => (word === '/etc/shop/config.yaml' ? config : word));
  return await machine?.run(args, { HOME: box.root, AWS_ENDPOINT_URL: machine.url });
}

test('ec2: shop.service becomes the application with the variables, by the role and region of the instance', async (place) => {
  if (place.machine === undefined) return;
  const ended = await runLine(place, setting('shop.service', 'ExecStart'), {
    '/usr/local/bin/shop': '/usr/bin/env',
  });
  assert.is(ended?.code, 0, ended?.stderr);
  assert.match(ended?.stdout ?? '', /^DB_USER=shop$/m);
  assert.match(ended?.stdout ?? '', /^DB_PASSWORD=first$/m);
});

test('ec2: shop-files.service publishes the files in the directory of the application', async (place) => {
  const unit = 'shop-files.service';
  const dir = flagValue(setting(unit, 'ExecStartPre').split(' '), '--dir') ?? '';
  assert.is(dir, `/run/${setting(unit, 'RuntimeDirectory')}/secrets`);
  assert.match(setting(unit, 'ExecStart'), dir);
  if (place.machine === undefined) return;
  const ended = await runLine(place, setting(unit, 'ExecStartPre'), { [dir]: place.box.dir });
  assert.is(ended?.code, 0, ended?.stderr);
  assert.is(place.box.files()['db-password'], 'first');
});

test('ec2: the policy of the page allows the secret in the region of the shell', async ({ machine, box }) => {
  if (machine === undefined) return;
  const config = box.write('config.yaml', readExample('ec2', 'config.yaml'));
  const env = { AWS_REGION: 'eu-central-1' };
  const { code, stdout } = await machine.run(['doctor', '--policy', '--config', config], env);
  assert.is(code, 0);
  assert.match(stdout, 'arn:aws:secretsmanager:eu-central-1:*:secret:shop/db-??????');
});

test('the classes of these examples are valid', () => {
  for (const [example, file] of [
    ['ecs', 'exec-config.yaml'],
    ['ec2', 'config.yaml'],
    ['docker', 'config.yaml'],
  ] as const) {
    const text = readExample(example, file);
    assert.is((parse(text) as { readonly kind: string }).kind, 'SecretProviderClass');
    const path = join(examplesRoot, example, file);
    const { status, stdout } = spawnSync(binary, ['check', path], { encoding: 'utf8' });
    assert.is(status, 0, stdout);
  }
});

test.run();
