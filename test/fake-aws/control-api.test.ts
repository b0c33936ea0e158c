import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rejects } from '../support/rejects.ts';
import { until, within } from '../support/wait.ts';
import { selfSigned } from './certificate.ts';
import { remoteControls, startFakeAwsProcess } from './client.ts';
import { exampleSeed, startExample } from './example.ts';
import { parameterStoreAt, secretsManagerAt, send } from './requests.ts';

const test = suite('control API');
const aws = await startFakeAwsProcess(exampleSeed);
const secrets = secretsManagerAt(aws.url);
const parameters = parameterStoreAt(aws.url);

test.before.each(() => aws.reset());
test.after(() => aws.stop());

const get = (SecretId: string) => secrets.send(new GetSecretValueCommand({ SecretId }));
const parameter = (Name: string) => parameters.send(new GetParameterCommand({ Name, WithDecryption: true }));

test('rotates, marks for deletion, restores and removes a secret', async () => {
  const secret = { region: 'eu-west-1', name: 'db/password' };
  const before = await get(secret.name);
  const rotated = await aws.putSecret({ ...secret, string: 'second' });
  const after = await get(secret.name);
  assert.equal([after.SecretString, after.VersionId, after.ARN], ['second', rotated.versionId, rotated.arn]);
  assert.is.not(after.VersionId, before.VersionId);
  assert.is(
    (await aws.putSecret({ ...secret, string: 'third', stages: ['AWSPENDING'] })).versionId,
    after.VersionId,
  );
  await aws.putSecret({ ...secret, deleted: true });
  assert.match(((await rejects(get(secret.name))) as Error).message, 'marked for deletion');
  await aws.putSecret({ ...secret, deleted: false });
  assert.is((await get(secret.name)).SecretString, 'second');
  await aws.removeSecret(secret);
  assert.is(((await rejects(get(secret.name))) as Error).name, 'ResourceNotFoundException');
  const again = await aws.putSecret({ ...secret, string: 'created again' });
  assert.not.ok([before.VersionId, after.VersionId].includes(again.versionId));
});

test('puts and removes a parameter', async () => {
  const where = { region: 'eu-west-1', name: '/new' };
  assert.equal(await aws.putParameter({ ...where, value: 'a' }), {
    arn: 'arn:aws:ssm:eu-west-1:111122223333:parameter/new',
    version: 1,
  });
  assert.is((await aws.putParameter({ ...where, value: 'b', labels: ['x'] })).version, 2);
  assert.is((await parameter('/new:x')).Parameter?.Value, 'b');
  assert.is((await aws.putParameter({ ...where, name: '/app/url', value: 'https://other' })).version, 2);
  assert.is((await parameter('/app/url')).Parameter?.Type, 'String');
  await aws.removeParameter(where);
  assert.is(((await rejects(parameter('/new'))) as Error).name, 'ParameterNotFound');
});

test('adds faults and reads the journal', async () => {
  const number = await aws.addFault({ on: { id: 'db/login' }, does: { kind: 'throttle' } });
  assert.is(((await rejects(get('db/login'))) as Error).name, 'ThrottlingException');
  assert.is(await aws.count({ service: 'secretsmanager', code: 'ThrottlingException' }), 1);
  assert.is((await aws.calls({ id: 'db/login' }))[0]?.fault, 'throttle');
  assert.is((await aws.faults())[0]?.number, number);
  await aws.removeFault({ number });
  await aws.clearCalls();
  await get('db/login');
  assert.is(await aws.count(), 1);
});

test('changes tokens, ends credentials, moves the clock and loads another seed', async () => {
  await aws.changeIdentity({ name: 'new', podIdentityTokens: ['new-token'] });
  const ask = () => send(aws.agentUrl, 'GET', { authorization: 'new-token' });
  assert.is((await ask()).status, 200);
  assert.is(await aws.expireCredentials({ identity: 'new' }), 1);
  await aws.advanceClock({ ms: 86_400_000 });
  assert.ok(Date.parse(JSON.parse((await ask()).body).Expiration) > Date.now() + 86_400_000);
  await aws.load({});
  assert.is((await ask()).status, 400);
});

test('names invalid input, and the possible calls', async () => {
  const rejected = async (promise: Promise<unknown>) => ((await rejects(promise)) as Error).message;
  assert.match(
    await rejected(aws.addFault({ does: { kind: 'throttle', status: 500 } } as never)),
    'addFault.does.status: expected 400 or 429, got a number',
  );
  const curl = (path: string, body = '') => send(`${aws.url}/_fake-aws/${path}`, 'POST', {}, body);
  assert.match((await curl('explode')).body, 'expected one of calls, count, ');
  assert.is((await curl('putSecret', '{"region":"r"}')).status, 400);
  assert.equal(JSON.parse((await send(`${aws.url}/_fake-aws/count`, 'GET', {})).body), { result: 0 });
});

test('the journal contains no control calls', async () => {
  await aws.putSecret({ region: 'eu-west-1', name: 'x', string: 'canary' });
  assert.is(await aws.count(), 0);
});

test('serves TLS with the given certificate', async () => {
  const tls = selfSigned();
  const fakeAws = await startExample({ tls });
  const remote = remoteControls(fakeAws.url, tls.cert);
  assert.match(fakeAws.url, /^https:/);
  assert.is(await remote.count(), 0);
  assert.match(
    ((await rejects(remoteControls(fakeAws.url).count())) as NodeJS.ErrnoException).code ?? '',
    /SELF_SIGNED|UNABLE_TO_VERIFY/,
  );
  await fakeAws.close();
});

test('reports why it cannot start', async () => {
  const error = (await rejects(startFakeAwsProcess({ account: 1 } as never))) as Error;
  assert.match(error.message, 'seed.account: expected a string, got a number');
});

test('exits with its parent process, even if that is killed', async () => {
  const launching = `
    import { startFakeAwsProcess } from ${JSON.stringify(join(import.meta.dirname, 'client.ts'))};
    console.log((await startFakeAwsProcess({})).url);
    process.kill(process.pid, 'SIGKILL');`;
  const parent = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', launching]);
  const url = (await within('the URL of the fake AWS', text(parent.stdout))).trim();
  assert.match(url, /^http:/);
  // Its process id proves nothing: where no process reaps orphans, the id stays.
  await until('the end of the fake AWS', async () => !(await listens(url)));
});

async function listens(url: string): Promise<boolean> {
  try {
    await send(url, 'GET', {});
    return true;
  } catch {
    return false;
  }
}

test.run();
