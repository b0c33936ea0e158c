import {
  DeleteParameterCommand,
  GetParameterCommand,
  GetParametersByPathCommand,
  type GetParametersByPathCommandInput,
  GetParametersCommand,
  LabelParameterVersionCommand,
  PutParameterCommand,
  type PutParameterCommandInput,
} from '@aws-sdk/client-ssm';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rejects } from '../support/rejects.ts';
import { startExample } from './example.ts';
import { type Keys, operatorKeys, parameterStoreAt, send } from './requests.ts';

const test = suite('Parameter Store');
const aws = await startExample();
const client = parameterStoreAt(aws.url);
const arn = 'arn:aws:ssm:eu-west-1:111122223333:parameter';

test.before.each(() => aws.reset());
test.after(() => aws.close());

const getAll = (Names: string[], WithDecryption = true, as = client) =>
  as.send(new GetParametersCommand({ Names, WithDecryption }));
const get = async (Name: string, as = client) =>
  (await as.send(new GetParameterCommand({ Name, WithDecryption: true }))).Parameter;
const put = (input: PutParameterCommandInput) => client.send(new PutParameterCommand(input));
const errorOf = async (promise: Promise<unknown>) => {
  const { name, message } = (await rejects(promise)) as Error;
  return `${name}: ${message}`;
};
async function app() {
  const response = JSON.parse((await send(aws.agentUrl, 'GET', { authorization: 'pod-token' })).body);
  const keys: Keys = {
    accessKeyId: response.AccessKeyId,
    secretAccessKey: response.SecretAccessKey,
    sessionToken: response.Token,
  };
  return parameterStoreAt(aws.url, keys);
}

test('responds in the order of the names, and lists unknown ones', async () => {
  const requested = ['plain', '/nope', '/app/url', '/app/token', '/app/key:9', '/app/key:nope'];
  const { Parameters = [], InvalidParameters } = await getAll(requested);
  assert.equal(
    Parameters.map(({ Name, Value, Version }) => [Name, Value, Version]),
    [
      ['/app/token', 's3cret', 1],
      ['/app/url', 'https://example.com', 1],
      ['plain', 'no-slash', 1],
    ],
  );
  assert.equal(InvalidParameters, ['/nope', '/app/key:9', '/app/key:nope']);
  assert.equal(
    Parameters.map(({ ARN }) => ARN),
    [`${arn}/app/token`, `${arn}/app/url`, `${arn}/plain`],
  );
});

test('a selector selects a version, and is returned apart from the name', async () => {
  const { Parameters = [] } = await getAll(['/app/key', '/app/key:1', '/app/key:blue', '/app/key:green']);
  assert.equal(
    Parameters.map(({ Name, Selector, Value, Version }) => [Name, Selector, Value, Version]),
    [
      ['/app/key', undefined, 'two', 2],
      ['/app/key', ':1', 'one', 1],
      ['/app/key', ':blue', 'one', 1],
      ['/app/key', ':green', 'two', 2],
    ],
  );
});

test('accepts ARNs of its own region only, with a selector too', async () => {
  const requested = [
    `${arn}/app/token`,
    `${arn}/app/key:1`,
    `${arn.replace('eu-west-1', 'us-east-1')}/app/token`,
  ];
  const { Parameters = [], InvalidParameters } = await getAll(requested);
  assert.equal(
    Parameters.map(({ Name, Value, Selector }) => [Name, Value, Selector]),
    [
      ['/app/key', 'one', ':1'],
      ['/app/token', 's3cret', undefined],
    ],
  );
  assert.equal(InvalidParameters, requested.slice(2));
});

test('rejects a repeated name, an eleventh name, and an empty list', async () => {
  assert.match(await errorOf(getAll(['/app/url', '/app/url'])), /^ValidationException: /);
  const names = Array.from({ length: 11 }, (_, index) => `/n${index}`);
  assert.match(
    await errorOf(getAll(names)),
    /^ValidationException: 1 validation error detected: Value '\[.*\]' at 'names' failed .* less than or equal to 10$/,
  );
  assert.is((await getAll(names.slice(1))).InvalidParameters?.length, 10);
  assert.match(await errorOf(getAll([])), /^ValidationException: /);
  assert.match(await errorOf(getAll(['a b'])), /^ValidationException: Parameter name/);
});

test('decrypts only if requested', async () => {
  const { Parameters = [] } = await getAll(['/app/token', '/app/url'], false);
  assert.match(Parameters[0]?.Value ?? '', /^AQICAH/);
  assert.is(Parameters[1]?.Value, 'https://example.com');
});

test('one missing permission fails the whole call', async () => {
  const as = await app();
  assert.match(
    await errorOf(getAll(['/app/token', '/forbidden/one'], true, as)),
    new RegExp(
      'is not authorized to perform: ssm:GetParameters on resource: ' +
        `${arn}/forbidden/one because no identity-based policy allows the ssm:GetParameters action$`,
    ),
  );
  assert.match(
    await errorOf(getAll(['/locked'], true, as)),
    /kms:Decrypt on resource: arn:aws:kms:eu-west-1:.*Error Code: AccessDeniedException\)$/,
  );
  assert.is((await getAll(['/locked'], false, as)).Parameters?.length, 1);
});

test('returns one parameter, or names the missing one', async () => {
  assert.is((await get('/app/key:blue'))?.Value, 'one');
  assert.is(((await rejects(get('/nope'))) as Error).name, 'ParameterNotFound');
  assert.is(
    await errorOf(get('/app/key:9')),
    'ParameterVersionNotFound: Systems Manager could not find version 9 of /app/key. Verify the version and try again.',
  );
});

test('lists a path in pages, recursively or not', async () => {
  const list = (input: Partial<GetParametersByPathCommandInput>) =>
    client.send(new GetParametersByPathCommand({ Path: '/app', ...input }));
  const names = async (input: Partial<GetParametersByPathCommandInput>) =>
    (await list(input)).Parameters?.map(({ Name }) => Name);
  assert.equal(await names({}), ['/app/key', '/app/token', '/app/url']);
  assert.equal(await names({ Path: '/app/', Recursive: true }), [
    '/app/deep/er',
    '/app/key',
    '/app/token',
    '/app/url',
  ]);
  const first = await list({ MaxResults: 2 });
  assert.is(first.Parameters?.length, 2);
  assert.equal(await names({ MaxResults: 2, NextToken: first.NextToken }), ['/app/url']);
  assert.match(await errorOf(list({ Path: 'app' })), /^ValidationException: /);
  assert.match(await errorOf(list({ MaxResults: 11 })), /less than or equal to 10$/);
  const all = await list({ Path: '/', Recursive: true, WithDecryption: true });
  assert.is(all.Parameters?.length, 6);
});

test('overwrites a parameter only with Overwrite', async () => {
  const Name = '/fresh';
  assert.match(
    await errorOf(put({ Name, Value: 'a' })),
    /^ValidationException: A parameter type is required/,
  );
  assert.is((await put({ Name, Value: 'a', Type: 'SecureString' })).Version, 1);
  assert.match(await errorOf(put({ Name, Value: 'b' })), /^ParameterAlreadyExists: /);
  assert.is((await put({ Name, Value: 'b', Overwrite: true })).Version, 2);
  const now = await get(Name);
  assert.equal([now?.Value, now?.Version, now?.Type], ['b', 2, 'SecureString']);
  assert.match(
    await errorOf(put({ Name: '/aws/mine', Value: 'a', Type: 'String' })),
    /^ValidationException: /,
  );
});

test('moves a label to the given version', async () => {
  const label = (Labels: string[], ParameterVersion?: number) =>
    client.send(new LabelParameterVersionCommand({ Name: '/app/key', Labels, ParameterVersion }));
  assert.is((await label(['blue'])).ParameterVersion, 2);
  assert.is((await get('/app/key:blue'))?.Value, 'two');
  await label(['blue'], 1);
  assert.is((await get('/app/key:blue'))?.Value, 'one');
  assert.equal((await label(['1st', 'awsome', 'good'])).InvalidLabels, ['1st', 'awsome']);
  assert.match(await errorOf(get('/app/key:good')), 'could not find label good');
});

test('deletes a parameter', async () => {
  await client.send(new DeleteParameterCommand({ Name: '/app/url' }));
  assert.equal((await getAll(['/app/url'])).InvalidParameters, ['/app/url']);
  assert.is(
    ((await rejects(client.send(new DeleteParameterCommand({ Name: '/app/url' })))) as Error).name,
    'ParameterNotFound',
  );
});

test('returns the data of the signed region', async () => {
  const there = await get('/app/token', parameterStoreAt(aws.url, operatorKeys, 'us-east-1'));
  assert.equal(
    [there?.Value, there?.ARN],
    ['s3cret-over-there', 'arn:aws:ssm:us-east-1:111122223333:parameter/app/token'],
  );
});

test('uses the ARN prefixes of China and GovCloud', async () => {
  for (const [region, start] of [
    ['cn-north-1', 'arn:aws-cn:ssm:cn-north-1:'],
    ['us-gov-west-1', 'arn:aws-us-gov:ssm:us-gov-west-1:'],
  ] as const) {
    assert.ok(aws.putParameter({ region, name: '/a', value: 'x' }).arn.startsWith(start));
    const there = await get('/a', parameterStoreAt(aws.url, operatorKeys, region));
    assert.is(there?.Value, 'x');
  }
});

test.run();
