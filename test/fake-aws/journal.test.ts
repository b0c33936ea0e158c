import {
  BatchGetSecretValueCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
} from '@aws-sdk/client-secrets-manager';
import { GetParametersCommand, PutParameterCommand } from '@aws-sdk/client-ssm';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { exampleSeed, startExample } from './example.ts';
import { operatorKeys, parameterStoreAt, secretsManagerAt, send } from './requests.ts';

const test = suite('journal');
const aws = await startExample();
const secrets = secretsManagerAt(aws.url);
const parameters = parameterStoreAt(aws.url);

test.before.each(() => aws.reset());
test.after(() => aws.close());

test('records identity, service, operation, ids and result', async () => {
  const before = Date.now();
  await secrets.send(new BatchGetSecretValueCommand({ SecretIdList: ['db/password', 'nope'] }));
  const [call, ...others] = aws.calls();
  assert.ok(call);
  assert.equal(others, []);
  const { at, received, sent, connection, ...entry } = call;
  assert.equal(entry, {
    service: 'secretsmanager',
    operation: 'BatchGetSecretValue',
    region: 'eu-west-1',
    ids: ['db/password', 'nope'],
    identity: 'arn:aws:iam::111122223333:user/operator',
    status: 200,
    code: undefined,
    fault: undefined,
  });
  assert.ok(at >= before && at <= Date.now());
  assert.is(received, '{"SecretIdList":["db/password","nope"]}'.length);
  assert.ok(sent > 100);
  assert.is(typeof connection, 'number');
});

test('counts entries by any field', async () => {
  await parameters.send(new GetParametersCommand({ Names: ['/app/key:1', '/nope'] }));
  await secrets.send(new GetSecretValueCommand({ SecretId: 'db/password' }));
  await secretsManagerAt(aws.url, operatorKeys, 'us-east-1').send(
    new GetSecretValueCommand({ SecretId: 'db/password' }),
  );
  await secrets.send(new GetSecretValueCommand({ SecretId: 'nope' })).catch(() => undefined);
  await send(aws.agentUrl, 'GET', { authorization: 'wrong' });
  const counts = [
    [undefined, 5],
    [{ service: 'secretsmanager' }, 3],
    [{ service: 'secretsmanager', region: 'eu-west-1' }, 2],
    [{ operation: 'GetParameters' }, 1],
    [{ id: '/app/key' }, 1],
    [{ id: 'db/password' }, 2],
    [{ status: 400 }, 2],
    [{ code: 'ResourceNotFoundException' }, 1],
    [{ identity: 'operator' }, 4],
    [{ service: 'agent', operation: 'GetCredentials' }, 1],
    [{ service: 'sts' }, 0],
  ] as const;
  for (const [filter, count] of counts) assert.is(aws.count(filter), count, JSON.stringify(filter));
  aws.clearCalls();
  assert.is(aws.count(), 0);
});

test('records whether connections are kept alive', async () => {
  for (let call = 0; call < 3; call++) {
    await secrets.send(new GetSecretValueCommand({ SecretId: 'db/password' }));
  }
  assert.is(new Set(aws.calls().map(({ connection }) => connection)).size, 1);
});

test('contains no value, sent or received', async () => {
  const canary = 'canary-4711';
  await secrets.send(new PutSecretValueCommand({ SecretId: 'db/password', SecretString: canary }));
  await secrets.send(new GetSecretValueCommand({ SecretId: 'db/password' }));
  await parameters.send(new PutParameterCommand({ Name: '/canary', Value: canary, Type: 'String' }));
  await parameters.send(new GetParametersCommand({ Names: ['/canary'] }));
  aws.changeIdentity({ name: 'app', podIdentityTokens: [canary] });
  const { SecretAccessKey, Token } = JSON.parse(
    (await send(aws.agentUrl, 'GET', { authorization: canary })).body,
  );
  const written = JSON.stringify(aws.calls());
  assert.is(aws.count(), 5);
  for (const value of [canary, SecretAccessKey, Token]) assert.not.ok(written.includes(value));
});

test('a new seed clears the journal and replaces all data', async () => {
  await secrets.send(new GetSecretValueCommand({ SecretId: 'db/password' }));
  aws.load({
    identities: { operator: exampleSeed.identities?.operator ?? {} },
    regions: { 'eu-west-1': { secrets: { other: 'x' } } },
  });
  assert.is(aws.count(), 0);
  const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: 'other' }));
  assert.is(SecretString, 'x');
  aws.reset();
  const again = await secrets.send(new GetSecretValueCommand({ SecretId: 'db/password' }));
  assert.is(again.SecretString, 'hunter2');
});

test.run();
