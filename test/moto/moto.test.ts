/** The built program on moto: fetched values, missing ones, the identity, and a rotation. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CreateSecretCommand,
  type CreateSecretCommandInput,
  DeleteSecretCommand,
  PutSecretValueCommand,
} from '@aws-sdk/client-secrets-manager';
import { LabelParameterVersionCommand, PutParameterCommand } from '@aws-sdk/client-ssm';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startFakeAwsProcess } from '../fake-aws/client.ts';
import { run } from '../support/program.ts';
import { irsaEnv, makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';
import { type Sidecar, startSidecar } from '../support/sidecar.ts';
import { type Clients, clientsAt, MOTO_ACCOUNT, startMoto } from './moto.ts';

const region = 'eu-west-1';
/** A role of another account than the one that moto begins with. */
const role = 'arn:aws:iam::111122223333:role/app';

/** moto has no Pod Identity agent: this server returns credentials, and nothing else. */
const agent = await startFakeAwsProcess({ identities: { app: { role, podIdentityTokens: ['pod-token'] } } });
// Not in a hook: uvu hides what a hook throws, and a missing requirement has to be reported.
const moto = await startMoto();
const aws = clientsAt(moto.url, region);

interface Context {
  box: Sandbox;
  sidecars: Sidecar[];
}

const test = suite<Context>('moto');
test.after(async () => {
  await agent.stop();
  await moto.stop();
});
test.before.each(async (context) => {
  await moto.reset();
  await agent.reset();
  context.box = makeSandbox();
  context.sidecars = [];
});
test.after.each(async ({ box, sidecars }) => {
  for (const running of sidecars) running.child.kill('SIGKILL');
  await Promise.all(sidecars.map((running) => running.ended()));
  box.remove();
});

const secret = (objectName: string, more: Readonly<Record<string, unknown>> = {}) => ({
  objectName,
  objectType: 'secretsmanager',
  ...more,
});
const parameter = (objectName: string, more: Readonly<Record<string, unknown>> = {}) => ({
  objectName,
  objectType: 'ssmparameter',
  ...more,
});
const numbered = (prefix: string) => Array.from({ length: 25 }, (_, index) => `${prefix}${index + 1}`);

async function create(Name: string, value: string | CreateSecretCommandInput) {
  const input = typeof value === 'string' ? { Name, SecretString: value } : value;
  const { ARN = '', VersionId = '' } = await aws.secrets.send(new CreateSecretCommand(input));
  return { arn: ARN, version: VersionId };
}

async function put(SecretId: string, SecretString: string, ...VersionStages: string[]) {
  const stages = VersionStages.length === 0 ? {} : { VersionStages };
  const { VersionId = '' } = await aws.secrets.send(
    new PutSecretValueCommand({ SecretId, SecretString, ...stages }),
  );
  return VersionId;
}

async function store(Name: string, Value: string): Promise<void> {
  await aws.parameters.send(new PutParameterCommand({ Name, Value, Type: 'SecureString', Overwrite: true }));
}

const podEnv = ({ box }: Context) =>
  podIdentityEnv(box, { url: moto.url, agentUrl: agent.agentUrl }, 'pod-token');
const paths = ({ box }: Context) => ['--config', box.config, '--dir', box.dir];

function init(context: Context, flags: readonly string[] = [], env = podEnv(context)) {
  return run(['init', ...paths(context), '--start-timeout', '0s', ...flags], env);
}

async function ready(context: Context, flags: readonly string[] = []): Promise<Sidecar> {
  const running = await startSidecar([...paths(context), ...flags], podEnv(context));
  context.sidecars.push(running);
  await running.event('sidecar.ready');
  return running;
}

/** How many calls of this operation moto has answered to the sidecar. */
async function calls(running: Sidecar, service: string, operation: string, result = 'success') {
  const labels = `service="${service}",operation="${operation}",region="${region}",result="${result}"`;
  return (await running.metric(`podsecrets_api_calls_total{${labels}}`)) ?? 0;
}

test('strings, their fields and bytes become files, with credentials of the Pod Identity agent', async (context) => {
  const { box } = context;
  await create('db/login', '{"username":"app","port":5432,"name":"Zoë"}');
  await create('keystore', { Name: 'keystore', SecretBinary: Uint8Array.of(0, 1, 2, 255) });
  box.writeConfig({
    usePodIdentity: 'true',
    objects: [
      secret('db/login', { objectAlias: 'login', jmesPath: [{ path: 'port', objectAlias: 'port' }] }),
      secret('keystore'),
    ],
  });
  const { code, stderr } = await init(context);
  assert.is(code, 0, stderr);
  assert.is(box.files().login, '{"username":"app","port":5432,"name":"Zoë"}');
  assert.is(box.files().port, '5432');
  assert.equal([...readFileSync(join(box.dir, 'keystore'))], [0, 1, 2, 255]);
  assert.is(await agent.count({ service: 'agent' }), 1);
});

test('reads the region of the config', async (context) => {
  const { box } = context;
  await create('a', 'here');
  const elsewhere = clientsAt(moto.url, 'us-east-1');
  await elsewhere.secrets.send(new CreateSecretCommand({ Name: 'a', SecretString: 'there' }));
  box.writeConfig({ region: 'us-east-1', objects: [secret('a')] });
  assert.is((await init(context)).code, 0);
  assert.equal(box.files(), { a: 'there' });
});

test('reads a secret by its ARN, a version, AWSPREVIOUS and another label', async (context) => {
  const { box } = context;
  const { arn, version } = await create('a', 'one');
  await put('a', 'two');
  await put('a', 'three');
  await put('a', 'next', 'blue');
  const named = (objectAlias: string, more = {}) => secret('a', { objectAlias, ...more });
  box.writeConfig({
    objects: [
      named('current'),
      named('first', { objectVersion: version }),
      named('previous', { objectVersionLabel: 'AWSPREVIOUS' }),
      named('blue', { objectVersionLabel: 'blue' }),
      secret(arn, { objectAlias: 'by-arn' }),
      secret(arn.replace(/-\w{6}$/, ''), { objectAlias: 'by-short-arn' }),
    ],
  });
  const { code, stderr } = await init(context, ['--fetch', 'batch']);
  assert.is(code, 0, stderr);
  assert.equal(box.files(), {
    current: 'three',
    first: 'one',
    previous: 'two',
    blue: 'next',
    'by-arn': 'three',
    'by-short-arn': 'three',
  });
});

test('reports each secret that Secrets Manager does not have, whatever the HTTP status', async (context) => {
  const { box } = context;
  await create('there', 'x');
  await create('leaving', 'x');
  await aws.secrets.send(new DeleteSecretCommand({ SecretId: 'leaving' }));
  const absent = [
    secret('nowhere'),
    secret('leaving'),
    secret('there', { objectAlias: 'version', objectVersion: '11111111-2222-4333-8444-555555555555' }),
    secret('there', { objectAlias: 'label', objectVersionLabel: 'green' }),
  ];
  box.writeConfig({ objects: [secret('there'), ...absent] });
  const failed = await init(context);
  assert.is(failed.code, 5);
  for (const words of [
    '(4 problems): nowhere: ',
    'ResourceNotFoundException',
    'leaving: secretsmanager:GetSecretValue in eu-west-1: the secret is scheduled for deletion',
    'there:11111111-2222-4333-8444-555555555555: ',
    'there:green: ',
  ])
    assert.match(failed.lastLine, words);
  assert.equal(box.files(), {});
  box.writeConfig({ objects: [secret('there'), ...absent.map((one) => ({ ...one, optional: true }))] });
  const { code, stderr } = await init(context);
  assert.is(code, 0, stderr);
  assert.equal(box.files(), { there: 'x' });
  assert.is(stderr.match(/"event":"object.missing"/g)?.length, 4);
});

test('25 secrets need two batches, and a missing one needs no additional call', async (context) => {
  const { box } = context;
  const names = numbered('n');
  const [missing = '', ...there] = names;
  for (const name of there) await create(name, `value of ${name}`);
  box.writeConfig({ objects: names.map((name) => secret(name, { optional: name === missing })) });
  const running = await ready(context, ['--fetch', 'batch']);
  assert.equal(box.files(), Object.fromEntries(there.map((name) => [name, `value of ${name}`])));
  assert.is(await calls(running, 'secretsmanager', 'BatchGetSecretValue'), 2);
  assert.is(await calls(running, 'secretsmanager', 'GetSecretValue'), 0);
});

test('fetches a batch secret by secret after one without a value fails it', async (context) => {
  const { box } = context;
  await create('a', 'x');
  await create('b', 'y');
  // moto rejects the whole call; AWS lists such a secret under Errors.
  await create('empty', { Name: 'empty' });
  box.writeConfig({ objects: [secret('a'), secret('b'), secret('empty', { optional: true })] });
  const running = await ready(context, ['--fetch', 'batch']);
  assert.equal(box.files(), { a: 'x', b: 'y' });
  assert.is(await calls(running, 'secretsmanager', 'BatchGetSecretValue', 'client'), 1);
  assert.is(await calls(running, 'secretsmanager', 'GetSecretValue'), 2);
});

test('the sidecar publishes a rotation, with the new AWSPREVIOUS', async (context) => {
  const { box } = context;
  await create('a', 'one');
  await put('a', 'two');
  await store('/app/token', 'first');
  box.writeConfig({
    objects: [
      secret('a'),
      secret('a', { objectAlias: 'a.previous', objectVersionLabel: 'AWSPREVIOUS' }),
      parameter('/app/token', { objectAlias: 'token' }),
    ],
  });
  const running = await ready(context);
  assert.equal(box.files(), { a: 'two', 'a.previous': 'one', token: 'first' });
  await running.refresh();
  assert.is(running.events('publish.changed').length, 1, 'nothing was rotated');
  const version = await put('a', 'three');
  await store('/app/token', 'second');
  await running.refresh();
  assert.equal(box.files(), { a: 'three', 'a.previous': 'two', token: 'second' });
  assert.is(running.events('publish.changed').length, 2);
  const shown = (await running.status()).configs[0]?.files.map((file) => [file.path, file.version]);
  assert.ok(
    shown?.some(([path, at]) => path === 'a' && at === version),
    JSON.stringify(shown),
  );
  assert.ok(
    shown?.some(([path, at]) => path === 'token' && at === '2'),
    JSON.stringify(shown),
  );
});

test('25 parameters are three calls, decrypted', async (context) => {
  const { box } = context;
  const names = numbered('/app/p');
  for (const name of names) await store(name, `value of ${name}`);
  const alias = (name: string) => name.replace('/app/', '');
  box.writeConfig({ objects: names.map((name) => parameter(name, { objectAlias: alias(name) })) });
  const running = await ready(context);
  assert.equal(box.files(), Object.fromEntries(names.map((name) => [alias(name), `value of ${name}`])));
  assert.is(await calls(running, 'ssm', 'GetParameters'), 3);
});

test('a parameter is read by its ARN, by a version and by a label', async (context) => {
  const { box } = context;
  const name = '/app/token';
  for (const value of ['one', 'two', 'three']) await store(name, value);
  await aws.parameters.send(
    new LabelParameterVersionCommand({ Name: name, ParameterVersion: 1, Labels: ['old'] }),
  );
  const arn = `arn:aws:ssm:${region}:${MOTO_ACCOUNT}:parameter${name}`;
  box.writeConfig({
    objects: [
      parameter(name, { objectAlias: 'newest' }),
      parameter(name, { objectAlias: 'second', objectVersion: '2' }),
      parameter(name, { objectAlias: 'old', objectVersionLabel: 'old' }),
      parameter(arn, { objectAlias: 'by-arn' }),
      parameter(arn, { objectAlias: 'by-arn-second', objectVersion: '2' }),
      parameter(arn, { objectAlias: 'by-arn-old', objectVersionLabel: 'old' }),
    ],
  });
  const { code, stderr } = await init(context);
  assert.is(code, 0, stderr);
  assert.equal(box.files(), {
    newest: 'three',
    second: 'two',
    old: 'one',
    'by-arn': 'three',
    'by-arn-second': 'two',
    'by-arn-old': 'one',
  });
});

test('reports each parameter that Parameter Store does not have', async (context) => {
  const { box } = context;
  await store('/there', 'x');
  const there = parameter('/there', { objectAlias: 'there' });
  const absent = [
    parameter('/nowhere', { objectAlias: 'nowhere' }),
    parameter('/there', { objectAlias: 'version', objectVersion: '7' }),
    parameter('/there', { objectAlias: 'label', objectVersionLabel: 'green' }),
  ];
  box.writeConfig({ objects: [there, ...absent] });
  const failed = await init(context);
  assert.is(failed.code, 5);
  for (const words of ['(3 problems): /nowhere: ', '/there:7: ', '/there:green: '])
    assert.match(failed.lastLine, words);
  box.writeConfig({ objects: [there, ...absent.map((one) => ({ ...one, optional: true }))] });
  const { code, stderr } = await init(context);
  assert.is(code, 0, stderr);
  assert.equal(box.files(), { there: 'x' });
});

/** Clients that fill the role's own account. */
async function clientsOfRole(): Promise<Clients> {
  const { Credentials: got } = await aws.sts.send(
    new AssumeRoleCommand({ RoleArn: role, RoleSessionName: 'seed' }),
  );
  return clientsAt(moto.url, region, {
    accessKeyId: got?.AccessKeyId ?? '',
    secretAccessKey: got?.SecretAccessKey ?? '',
    sessionToken: got?.SessionToken ?? '',
  });
}

test("IRSA: the role's credentials give access to the role's account", async (context) => {
  const { box } = context;
  await create('a', 'of another account');
  const own = await clientsOfRole();
  await own.secrets.send(new CreateSecretCommand({ Name: 'a', SecretString: 'of the role' }));
  box.writeConfig({ usePodIdentity: 'false', objects: [secret('a')] });
  const env = irsaEnv(box, { url: moto.url, agentUrl: agent.agentUrl }, role, 'web-token');
  const { code, stderr } = await init(context, [], env);
  assert.is(code, 0, stderr);
  assert.equal(box.files(), { a: 'of the role' });

  const examined = await run(['doctor', ...paths(context)], env);
  assert.is(examined.code, 0, examined.stdout);
  assert.match(
    examined.stdout,
    /ok {4}identity {3}arn:aws:sts::111122223333:assumed-role\/app\/\S+; credentials expire in/,
  );
});

test('doctor reports the identity, and the readable and unreadable objects', async (context) => {
  const { box } = context;
  const { version } = await create('a', 'hunter2');
  await store('/app/token', 'hunter2');
  box.writeConfig({ objects: [secret('a'), parameter('/app/token', { objectAlias: 'token' })] });
  const doctor = () => run(['doctor', ...paths(context)], podEnv(context));
  const readable = await doctor();
  assert.is(readable.code, 0, readable.stdout);
  for (const expected of [
    new RegExp(`ok {4}identity {3}arn:aws:sts::${MOTO_ACCOUNT}:user/moto; credentials expire in`),
    new RegExp(`ok {4}a {10,}secretsmanager +${region} +version ${version}\n`),
    new RegExp(`ok {4}/app/token +ssmparameter +${region} +version 1\n`),
    /All checks passed.\n$/,
  ])
    assert.match(readable.stdout, expected);
  box.writeConfig({ objects: [secret('a'), secret('nowhere')] });
  const unreadable = await doctor();
  assert.is(unreadable.code, 5, unreadable.stdout);
  assert.match(unreadable.stdout, /FAIL {2}nowhere[\s\S]*ResourceNotFoundException/);
  for (const { stdout, stderr } of [readable, unreadable]) assert.not.match(stdout + stderr, 'hunter2');
});

test.run();
