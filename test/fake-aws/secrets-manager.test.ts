import {
  BatchGetSecretValueCommand,
  type BatchGetSecretValueCommandInput,
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  type GetSecretValueCommandInput,
  PutSecretValueCommand,
  RestoreSecretCommand,
} from '@aws-sdk/client-secrets-manager';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rejects } from '../support/rejects.ts';
import { exampleSeed, startExample } from './example.ts';
import { type Keys, secretsManagerAt, send } from './requests.ts';

const test = suite('Secrets Manager');
const aws = await startExample();
const client = secretsManagerAt(aws.url);
const arn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:';

test.before.each(() => aws.reset());
test.after(() => aws.close());

const get = (input: GetSecretValueCommandInput, as = client) => as.send(new GetSecretValueCommand(input));
const errorOf = async (promise: Promise<unknown>) => {
  const { name, message } = (await rejects(promise)) as Error;
  return `${name}: ${message}`;
};
async function clientOf(token: string) {
  const response = JSON.parse((await send(aws.agentUrl, 'GET', { authorization: token })).body);
  const keys: Keys = {
    accessKeyId: response.AccessKeyId,
    secretAccessKey: response.SecretAccessKey,
    sessionToken: response.Token,
  };
  return secretsManagerAt(aws.url, keys);
}

test('finds a secret by name, by ARN and by ARN without its suffix', async () => {
  const { ARN = '', Name, VersionId, VersionStages, CreatedDate } = await get({ SecretId: 'db/password' });
  assert.match(ARN, new RegExp(`^${arn}db/password-\\w{6}$`));
  assert.equal([Name, VersionStages], ['db/password', ['AWSCURRENT']]);
  assert.match(VersionId ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.ok(CreatedDate instanceof Date);
  for (const SecretId of [ARN, ARN.slice(0, -7)]) {
    assert.is((await get({ SecretId })).SecretString, 'hunter2');
  }
  const elsewhere = [ARN.replace('eu-west-1', 'us-east-1'), `${ARN.slice(0, -6)}AAAAAA`];
  for (const SecretId of elsewhere) {
    assert.match(await errorOf(get({ SecretId })), /^ResourceNotFoundException: /);
  }
});

test('the first version is the current one, whatever its labels', async () => {
  await client.send(new CreateSecretCommand({ Name: 'new' }));
  const input = { SecretId: 'new', SecretString: 'x', VersionStages: ['blue'] };
  const { VersionStages = [] } = await client.send(new PutSecretValueCommand(input));
  assert.equal([...VersionStages].sort(), ['AWSCURRENT', 'blue']);
  assert.is((await get({ SecretId: 'new' })).SecretString, 'x');
});

test('a binary secret has bytes and no string', async () => {
  const { SecretBinary, SecretString } = await get({ SecretId: 'tls/keystore' });
  assert.equal([...(SecretBinary ?? [])], [0, 1, 2, 3]);
  assert.is(SecretString, undefined);
});

test('returns the requested version or stage', async () => {
  const SecretId = 'api/key';
  const VersionId = '11111111-1111-4111-8111-111111111111';
  assert.is((await get({ SecretId })).SecretString, 'new');
  assert.is((await get({ SecretId, VersionStage: 'AWSPREVIOUS' })).SecretString, 'old');
  assert.is((await get({ SecretId, VersionStage: 'AWSPENDING' })).SecretString, 'next');
  assert.is((await get({ SecretId, VersionStage: 'BLUE' })).SecretString, 'blue');
  assert.is((await get({ SecretId, VersionId })).SecretString, 'old');
  assert.is((await get({ SecretId, VersionId, VersionStage: 'AWSPREVIOUS' })).SecretString, 'old');
  assert.is(
    await errorOf(get({ SecretId, VersionId, VersionStage: 'AWSCURRENT' })),
    'InvalidRequestException: You provided a VersionStage that is not associated to the provided VersionId.',
  );
});

test('reports a missing secret with status 400', async () => {
  const rejected = [
    [{ SecretId: 'nope' }, "Secrets Manager can't find the specified secret."],
    [
      { SecretId: 'empty' },
      "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
    ],
    [
      { SecretId: 'db/password', VersionId: 'a'.repeat(32) },
      `Secrets Manager can't find the specified secret value for VersionId: ${'a'.repeat(32)}`,
    ],
  ] as const;
  for (const [input, sentence] of rejected) {
    assert.is(await errorOf(get(input)), `ResourceNotFoundException: ${sentence}`);
    assert.is(aws.calls().at(-1)?.status, 400);
  }
  assert.match(await errorOf(get({ SecretId: 'a name' })), /^ValidationException: Invalid name\./);
});

test('denies with a message that names caller, action and resource', async () => {
  const app = await clientOf('pod-token');
  assert.match(
    await errorOf(get({ SecretId: 'forbidden' }, app)),
    new RegExp(
      '^AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/app/eks-fake-app-[-\\w]+ is not authorized to perform: ' +
        `secretsmanager:GetSecretValue on resource: ${arn}forbidden-\\w{6} because no identity-based policy allows the secretsmanager:GetSecretValue action$`,
    ),
  );
  assert.is(
    await errorOf(get({ SecretId: 'locked' }, app)),
    'AccessDeniedException: Access to KMS is not allowed',
  );
  assert.is((await get({ SecretId: 'forbidden' })).SecretString, 'no');
});

test('denies a missing secret by the requested name', async () => {
  aws.changeIdentity({ name: 'app', deny: [{ action: 'secretsmanager:Get*', resource: 'no*' }] });
  const app = await clientOf('pod-token');
  assert.match(await errorOf(get({ SecretId: 'nope' }, app)), 'on resource: nope because');
  assert.is((await get({ SecretId: 'forbidden' }, app)).SecretString, 'no');
});

test('a batch returns values and errors in the requested order', async () => {
  const app = await clientOf('pod-token');
  const SecretIdList = ['tls/keystore', 'nope', 'forbidden', 'locked', 'gone', 'api/key'];
  const { SecretValues = [], Errors = [] } = await app.send(new BatchGetSecretValueCommand({ SecretIdList }));
  assert.equal(
    SecretValues.map(({ Name, SecretString }) => [Name, SecretString]),
    [
      ['tls/keystore', undefined],
      ['api/key', 'new'],
    ],
  );
  assert.equal(
    Errors.map(({ SecretId, ErrorCode }) => [SecretId, ErrorCode]),
    [
      ['nope', 'ResourceNotFoundException'],
      ['forbidden', 'AccessDeniedException'],
      ['locked', 'AccessDeniedException'],
      ['gone', 'InvalidRequestException'],
    ],
  );
});

test('a batch accepts 1 to 20 ids, or filters', async () => {
  const batch = (input: BatchGetSecretValueCommandInput) =>
    client.send(new BatchGetSecretValueCommand(input));
  const ids = Array.from({ length: 21 }, (_, index) => `s${index}`);
  assert.match(
    await errorOf(batch({ SecretIdList: ids })),
    /^ValidationException: .*'secretIdList'.*Member must have length less than or equal to 20$/,
  );
  assert.is((await batch({ SecretIdList: ids.slice(1) })).Errors?.length, 20);
  assert.match(await errorOf(batch({ SecretIdList: [] })), /greater than or equal to 1$/);
  assert.match(await errorOf(batch({})), /^InvalidParameterException: /);
  const Filters = [{ Key: 'name' as const, Values: ['db/'] }];
  const first = await batch({ Filters, MaxResults: 1 });
  assert.equal(
    first.SecretValues?.map(({ Name }) => Name),
    ['db/login'],
  );
  const second = await batch({ Filters, MaxResults: 1, NextToken: first.NextToken });
  assert.equal(
    [second.SecretValues?.map(({ Name }) => Name), second.NextToken],
    [['db/password'], undefined],
  );
});

test('a batch requires its own permission', async () => {
  const narrow = await clientOf('narrow-token');
  const batch = narrow.send(new BatchGetSecretValueCommand({ SecretIdList: ['db/password'] }));
  assert.match(
    await errorOf(batch),
    /is not authorized to perform: secretsmanager:BatchGetSecretValue because no identity-based policy/,
  );
  assert.is((await get({ SecretId: 'db/password' }, narrow)).SecretString, 'hunter2');
});

test('describes versions, stages, rotation and deletion, and no value', async () => {
  const describe = (SecretId: string) => client.send(new DescribeSecretCommand({ SecretId }));
  const login = await describe('db/login');
  assert.is(login.RotationEnabled, true);
  assert.equal(login.NextRotationDate, new Date('2030-01-01T00:00:00Z'));
  const { VersionIdsToStages = {}, RotationEnabled } = await describe('api/key');
  assert.is(RotationEnabled, undefined);
  assert.equal(Object.values(VersionIdsToStages).flat().sort(), [
    'AWSCURRENT',
    'AWSPENDING',
    'AWSPREVIOUS',
    'BLUE',
  ]);
  assert.equal(VersionIdsToStages['11111111-1111-4111-8111-111111111111'], ['AWSPREVIOUS']);
  assert.ok((await describe('gone')).DeletedDate instanceof Date);
  for (const string of ['second', 'third']) {
    aws.putSecret({ region: 'eu-west-1', name: 'db/password', string });
  }
  const staged = (await describe('db/password')).VersionIdsToStages;
  assert.equal(Object.values(staged ?? {}), [['AWSPREVIOUS'], ['AWSCURRENT']]);
});

test('a new value becomes current, and the current one previous', async () => {
  const SecretId = 'db/password';
  const before = await get({ SecretId });
  const put = await client.send(new PutSecretValueCommand({ SecretId, SecretString: 'second' }));
  assert.equal(put.VersionStages, ['AWSCURRENT']);
  const after = await get({ SecretId });
  assert.equal([after.SecretString, after.VersionId], ['second', put.VersionId]);
  const previous = await get({ SecretId, VersionStage: 'AWSPREVIOUS' });
  assert.is(previous.VersionId, before.VersionId);
  const pending = { SecretId, SecretBinary: Buffer.from('third'), VersionStages: ['AWSPENDING'] };
  await client.send(new PutSecretValueCommand(pending));
  assert.is((await get({ SecretId })).SecretString, 'second');
});

test('the same token with the same value changes nothing, and with another value fails', async () => {
  const token = { SecretId: 'db/password', ClientRequestToken: 'b'.repeat(32) };
  const put = (SecretString: string) => client.send(new PutSecretValueCommand({ ...token, SecretString }));
  await put('x');
  await put('x');
  assert.match(await errorOf(put('y')), /^ResourceExistsException: /);
  assert.is((await get({ SecretId: 'db/password' })).SecretString, 'x');
});

test('creates, deletes and restores', async () => {
  const create = (Name: string) => client.send(new CreateSecretCommand({ Name, SecretString: 'one' }));
  const { ARN = '', VersionId } = await create('fresh');
  assert.is((await get({ SecretId: ARN })).VersionId, VersionId);
  assert.match(await errorOf(create('fresh')), /^ResourceExistsException: .* fresh already exists\.$/);

  const window = await client.send(new DeleteSecretCommand({ SecretId: 'fresh', RecoveryWindowInDays: 7 }));
  assert.ok((window.DeletionDate?.getTime() ?? 0) > Date.now() + 6.9 * 86_400_000);
  assert.is(
    await errorOf(get({ SecretId: 'fresh' })),
    "InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion.",
  );
  assert.match(await errorOf(create('fresh')), 'already scheduled for deletion');
  await client.send(new RestoreSecretCommand({ SecretId: 'fresh' }));
  assert.is((await get({ SecretId: 'fresh' })).SecretString, 'one');

  await client.send(new DeleteSecretCommand({ SecretId: 'fresh', ForceDeleteWithoutRecovery: true }));
  assert.match(await errorOf(get({ SecretId: 'fresh' })), /^ResourceNotFoundException: /);
  const short = new DeleteSecretCommand({ SecretId: 'db/password', RecoveryWindowInDays: 6 });
  assert.match(await errorOf(client.send(short)), 'between 7 and 30 days');
});

test('the ARNs are the same in every run', async () => {
  const other = await startExample();
  const there = await secretsManagerAt(other.url).send(new DescribeSecretCommand({ SecretId: 'db/login' }));
  const here = await client.send(new DescribeSecretCommand({ SecretId: 'db/login' }));
  assert.is(here.ARN, there.ARN);
  assert.equal(here.VersionIdsToStages, there.VersionIdsToStages);
  assert.ok(exampleSeed.regions?.['eu-west-1']?.secrets?.['db/login']);
  await other.close();
});

test.run();
