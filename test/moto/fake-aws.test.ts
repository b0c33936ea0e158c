/**
 * The fake AWS compared with moto: the same requests, the same responses.
 *
 * The SDK's clients send the same requests to both, one by one. The test compares what a client can depend on: every field of a
 * response, or the code of an error. It does not compare what an implementation may choose: sentences, request ids, dates, the six
 * characters that end an ARN. Where the two differ, the entry has the difference, and why the fake AWS is right.
 */

import {
  BatchGetSecretValueCommand,
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
} from '@aws-sdk/client-secrets-manager';
import {
  DeleteParameterCommand,
  GetParameterCommand,
  GetParametersByPathCommand,
  GetParametersCommand,
  LabelParameterVersionCommand,
  PutParameterCommand,
} from '@aws-sdk/client-ssm';
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startFakeAws } from '../fake-aws/server.ts';
import { type Clients, clientsAt, MOTO_ACCOUNT, startMoto } from './moto.ts';

const region = 'eu-west-1';
const role = `arn:aws:iam::${MOTO_ACCOUNT}:role/app`;
const keys = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};

const fakeAws = await startFakeAws({
  seed: {
    account: MOTO_ACCOUNT,
    identities: { operator: keys, app: { role, webIdentityTokens: ['a.b.c'] } },
  },
});
// Not in a hook: uvu hides what a hook throws, and a missing requirement has to be reported.
const moto = await startMoto();
test.after(async () => {
  await fakeAws.close();
  await moto.stop();
});

/** One request. */
interface Request {
  readonly title: string;
  readonly send: (aws: Clients, arn: string, url: string) => Promise<unknown>;
  /** What moto responds instead, from the response of the fake AWS. Default: the same. */
  readonly ofMoto?: (ofFakeAws: unknown) => unknown;
}

/** Sends the requests to both; `arn` is the ARN of the first response that has one. */
async function compare(requests: readonly Request[]): Promise<void> {
  await moto.reset();
  fakeAws.reset();
  const sides = [moto.url, fakeAws.url].map((url) => ({
    url,
    aws: clientsAt(url, region, keys),
    arn: '',
  }));
  for (const { title, send, ofMoto = (ofFakeAws: unknown) => ofFakeAws } of requests) {
    const [fromMoto, fromFakeAws] = await Promise.all(
      sides.map(async (side) => {
        const response = await responseTo(() => send(side.aws, side.arn, side.url));
        side.arn ||= arnOf(response.output);
        return comparable(response.output ?? response.code);
      }),
    );
    assert.equal(fromMoto, ofMoto(fromFakeAws), title);
  }
}

/** Only an error that an AWS service reports is a response. */
async function responseTo(send: () => Promise<unknown>): Promise<{ output?: unknown; code?: string }> {
  try {
    return { output: await send() };
  } catch (error) {
    if (!(error instanceof Error && '$fault' in error)) throw error;
    return { code: error.name };
  }
}

const arnOf = (output: unknown) => (output as { ARN?: string } | undefined)?.ARN ?? '';

/** Without the parts that an implementation may choose. */
function comparable(value: unknown): unknown {
  if (value instanceof Date) return 'a date';
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(comparable).sort(byText);
  if (typeof value === 'string') return value.replace(/(:secret:\S+)-\w{6}$/, '$1-??????');
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, field]) => field !== undefined && key !== '$metadata' && key !== 'Message')
      .map(([key, field]): [string, unknown] => [key, comparable(field)])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Lists have no order: neither the values of a call nor the labels of a version. */
function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

const uuid = (digit: number) => `${digit}`.repeat(8).concat('-1111-4111-8111-111111111111');
const get = (SecretId: string, more = {}) => ({
  title: `get ${SecretId} ${JSON.stringify(more)}`,
  send: (aws: Clients) => aws.secrets.send(new GetSecretValueCommand({ SecretId, ...more })),
});
const create = (Name: string, more = {}) => ({
  title: `create ${Name}`,
  send: (aws: Clients) =>
    aws.secrets.send(new CreateSecretCommand({ Name, ClientRequestToken: uuid(1), ...more })),
});
const put = (SecretId: string, digit: number, more: object) => ({
  title: `put ${SecretId} ${digit}`,
  send: (aws: Clients) =>
    aws.secrets.send(new PutSecretValueCommand({ SecretId, ClientRequestToken: uuid(digit), ...more })),
});
const batch = (...SecretIdList: string[]) => ({
  title: `batch ${SecretIdList}`,
  send: (aws: Clients) => aws.secrets.send(new BatchGetSecretValueCommand({ SecretIdList })),
});

test('Secrets Manager: names, versions, stages', () =>
  compare([
    create('a', { SecretString: 'one' }),
    get('a'),
    put('a', 2, { SecretString: 'two' }),
    put('a', 3, { SecretString: 'three' }),
    put('a', 4, { SecretString: 'next', VersionStages: ['blue'] }),
    put('a', 5, { SecretString: 'pending', VersionStages: ['AWSPENDING'] }),
    get('a'),
    get('a', { VersionStage: 'AWSPREVIOUS' }),
    get('a', { VersionStage: 'AWSPENDING' }),
    get('a', { VersionStage: 'blue' }),
    get('a', { VersionId: uuid(1) }),
    get('a', { VersionId: uuid(2) }),
    get('a', { VersionId: uuid(2), VersionStage: 'AWSPREVIOUS' }),
    get('a', { VersionId: uuid(1), VersionStage: 'AWSCURRENT' }),
    get('a', { VersionId: uuid(9) }),
    get('a', { VersionStage: 'green' }),
    {
      title: 'get by ARN',
      send: (aws, SecretId) => aws.secrets.send(new GetSecretValueCommand({ SecretId })),
    },
    {
      title: 'get by ARN without its end',
      send: (aws, arn) => aws.secrets.send(new GetSecretValueCommand({ SecretId: arn.slice(0, -7) })),
    },
    {
      title: 'describe',
      send: (aws) => aws.secrets.send(new DescribeSecretCommand({ SecretId: 'a' })),
      // Versions without a label are not listed by AWS.
      ofMoto: (ofFakeAws) => {
        const { VersionIdsToStages, ...others } = ofFakeAws as { VersionIdsToStages: object };
        return { ...others, VersionIdsToStages: { [uuid(1)]: [], ...VersionIdsToStages } };
      },
    },
    get('nowhere'),
    create('a', { SecretString: 'again' }),
    put('nowhere', 1, { SecretString: 'x' }),
    put('a', 3, { SecretString: 'the same token, another value' }),
  ]));

test('Secrets Manager: bytes, no value, deletion', () =>
  compare([
    create('bytes', { SecretBinary: Uint8Array.of(0, 1, 255) }),
    get('bytes'),
    create('empty'),
    get('empty'),
    put('empty', 2, { SecretString: 'first', VersionStages: ['blue'] }),
    get('empty'),
    { title: 'delete', send: (aws) => aws.secrets.send(new DeleteSecretCommand({ SecretId: 'bytes' })) },
    get('bytes'),
    { title: 'restore', send: (aws) => aws.secrets.send(new RestoreSecretCommand({ SecretId: 'bytes' })) },
    get('bytes'),
  ]));

test('Secrets Manager: pages of a batch', () =>
  compare([
    ...['a', 'b', 'c'].map((name) => create(name, { SecretString: name })),
    {
      title: 'pages of two',
      async send(aws) {
        const pages: unknown[] = [];
        let NextToken: string | undefined;
        do {
          const page = await aws.secrets.send(
            new BatchGetSecretValueCommand({
              Filters: [{ Key: 'name', Values: ['a', 'b', 'c'] }],
              MaxResults: 2,
              ...(NextToken === undefined ? {} : { NextToken }),
            }),
          );
          NextToken = page.NextToken;
          pages.push(page.SecretValues?.map(({ Name }) => Name).sort());
        } while (NextToken !== undefined);
        return pages;
      },
    },
    { ...batch('a', 'b', 'c'), title: 'a whole batch' },
    {
      ...batch(...Array.from({ length: 21 }, (_, index) => `n${index}`)),
      // AWS rejects more than 20.
      ofMoto: () => ({
        Errors: Array.from({ length: 21 }, (_, index) => ({
          ErrorCode: 'ResourceNotFoundException',
          SecretId: `n${index}`,
        })).sort(byText),
        SecretValues: [],
      }),
    },
    // AWS rejects an empty list.
    { ...batch(), ofMoto: () => ({ Errors: [], SecretValues: [] }) },
  ]));

test('Secrets Manager: batches', () =>
  compare([
    create('a', { SecretString: 'x' }),
    create('b', { SecretBinary: Uint8Array.of(7) }),
    create('leaving', { SecretString: 'z' }),
    batch('b', 'a'),
    batch('a', 'nowhere', 'b'),
    {
      title: 'batch by ARN',
      send: (aws, arn) => aws.secrets.send(new BatchGetSecretValueCommand({ SecretIdList: [arn, 'b'] })),
    },
    {
      title: 'batch by ARN without its end',
      send: (aws, arn) =>
        aws.secrets.send(new BatchGetSecretValueCommand({ SecretIdList: [arn.slice(0, -7)] })),
    },
    { title: 'delete', send: (aws) => aws.secrets.send(new DeleteSecretCommand({ SecretId: 'leaving' })) },
    batch('leaving', 'a'),
    {
      title: 'batch by filter',
      send: (aws) =>
        aws.secrets.send(new BatchGetSecretValueCommand({ Filters: [{ Key: 'name', Values: ['a'] }] })),
    },
  ]));

const store = (Name: string, Value: string, more = {}) => ({
  title: `store ${Name} ${Value}`,
  send: (aws: Clients) =>
    aws.parameters.send(new PutParameterCommand({ Name, Value, Type: 'SecureString', ...more })),
});
const parameters = (...Names: string[]) => ({
  title: `parameters ${Names}`,
  send: (aws: Clients) => aws.parameters.send(new GetParametersCommand({ Names, WithDecryption: true })),
});
/** AWS returns the selector of a parameter; moto does not. */
const selected = (name: string) => ({
  ...parameters(name),
  ofMoto: (ofFakeAws: unknown) => {
    const { Parameters, ...others } = ofFakeAws as { Parameters: readonly { Selector?: string }[] };
    return { ...others, Parameters: Parameters.map(({ Selector, ...parameter }) => parameter) };
  },
});
const arn = `arn:aws:ssm:${region}:${MOTO_ACCOUNT}:parameter`;

test('Parameter Store', () =>
  compare([
    store('/app/token', 'one'),
    store('/app/token', 'again'),
    store('/app/token', 'two', { Overwrite: true }),
    store('/app/other', 'x', { Type: 'String' }),
    store('/app/deep/er', 'y'),
    store('plain', 'z', { Type: 'StringList' }),
    {
      title: 'label',
      send: (aws) =>
        aws.parameters.send(
          new LabelParameterVersionCommand({ Name: '/app/token', ParameterVersion: 1, Labels: ['old'] }),
        ),
    },
    parameters('/app/token'),
    parameters('plain', '/app/token', '/app/other'),
    selected('/app/token:1'),
    selected('/app/token:old'),
    parameters('/app/token:9', 'plain'),
    parameters('/app/token:green'),
    parameters('/nowhere', 'plain'),
    parameters(`${arn}/app/token`, `${arn}/plain`, `${arn}/nowhere`),
    selected(`${arn}/app/token:1`),
    selected(`${arn}/app/token:old`),
    parameters(...Array.from({ length: 11 }, (_, index) => `n${index}`)),
    {
      title: 'one',
      send: (aws) =>
        aws.parameters.send(new GetParameterCommand({ Name: '/app/token', WithDecryption: true })),
    },
    { title: 'none', send: (aws) => aws.parameters.send(new GetParameterCommand({ Name: '/nowhere' })) },
    {
      title: 'no such version',
      send: (aws) => aws.parameters.send(new GetParameterCommand({ Name: '/app/token:9' })),
    },
    ...[false, true].map((Recursive) => ({
      title: `by path, recursive: ${Recursive}`,
      send: (aws: Clients) =>
        aws.parameters.send(
          new GetParametersByPathCommand({ Path: '/app', Recursive, WithDecryption: true }),
        ),
    })),
    { title: 'delete', send: (aws) => aws.parameters.send(new DeleteParameterCommand({ Name: 'plain' })) },
    { title: 'gone', send: (aws) => aws.parameters.send(new DeleteParameterCommand({ Name: 'plain' })) },
  ]));

test('STS', () =>
  compare([
    {
      title: 'a role for a token',
      send: async (aws) => {
        const { AssumedRoleUser, Credentials } = await aws.sts.send(
          new AssumeRoleWithWebIdentityCommand({
            RoleArn: role,
            RoleSessionName: 'session',
            WebIdentityToken: 'a.b.c',
          }),
        );
        return {
          who: AssumedRoleUser?.Arn,
          ends: Credentials?.Expiration,
          kind: Credentials?.AccessKeyId?.slice(0, 4),
          has: Object.keys(Credentials ?? {}).sort(),
        };
      },
    },
    {
      title: 'who the caller is',
      send: async (aws) => {
        const { $metadata, ...caller } = await aws.sts.send(new GetCallerIdentityCommand({}));
        return { has: Object.keys(caller).sort(), Account: caller.Account, arn: caller.Arn?.split('/')[0] };
      },
      // moto has one user for all keys, with an ARN of STS. AWS returns that of IAM.
      ofMoto: (ofFakeAws) => ({ ...(ofFakeAws as object), arn: `arn:aws:sts::${MOTO_ACCOUNT}:user` }),
    },
    {
      title: 'who the caller is, with the credentials of a role',
      send: async (aws, _, url) => {
        const { Credentials } = await aws.sts.send(
          new AssumeRoleWithWebIdentityCommand({
            RoleArn: role,
            RoleSessionName: 'session',
            WebIdentityToken: 'a.b.c',
          }),
        );
        const { sts } = clientsAt(url, region, {
          accessKeyId: Credentials?.AccessKeyId ?? '',
          secretAccessKey: Credentials?.SecretAccessKey ?? '',
          sessionToken: Credentials?.SessionToken ?? '',
        });
        return (await sts.send(new GetCallerIdentityCommand({}))).Arn;
      },
    },
  ]));

test.run();
