import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rejects } from '../support/rejects.ts';
import { startExample } from './example.ts';
import { operatorKeys, secretsManagerAt, send, signed } from './requests.ts';
import { startFakeAws } from './server.ts';
import { signatureOf } from './sigv4.ts';

const test = suite('authentication');
const aws = await startExample();
const get = new GetSecretValueCommand({ SecretId: 'db/password' });
const target = { 'x-amz-target': 'secretsmanager.GetSecretValue' };
const body = '{"SecretId":"db/password"}';
const request = { service: 'secretsmanager', headers: target, body };

test.before.each(() => aws.reset());
test.after(() => aws.close());

const errorOf = async (promise: Promise<unknown>) => {
  const { name, message } = (await rejects(promise)) as Error;
  return { name, message };
};
const rejection = async (headers: Readonly<Record<string, string>>, sent = body) => {
  const response = await send(aws.url, 'POST', headers, sent);
  return [response.status, JSON.parse(response.body).__type, JSON.parse(response.body).Message];
};

test('computes the signatures of AWS’s own examples', () => {
  const examples = [
    {
      query: 'Action=ListUsers&Version=2010-05-08',
      headers: {
        'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
        host: 'iam.amazonaws.com',
      },
      service: 'iam',
      signature: '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
    },
    {
      query: '',
      headers: { host: 'example.amazonaws.com', 'my-header1': ' value1', 'my-header2': ' "a   b   c"' },
      service: 'service',
      signature: 'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736',
    },
  ];
  const time = '20150830T123600Z';
  const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
  for (const { query, headers, service, signature } of examples) {
    const all = { ...headers, 'x-amz-date': time };
    const example = { method: 'GET', path: '/', query, headers: all, body: Buffer.alloc(0) };
    const scope = { date: '20150830', region: 'us-east-1', service };
    const keys = { secretAccessKey, signingKeys: new Map() };
    assert.is(signatureOf(example, Object.keys(all), time, scope, keys), signature);
  }
});

test('accepts a signature of the SDK with a known key', async () => {
  const { SecretString } = await secretsManagerAt(aws.url).send(get);
  assert.is(SecretString, 'hunter2');
  assert.is(aws.calls()[0]?.identity, 'arn:aws:iam::111122223333:user/operator');
});

test('rejects a signature with a wrong secret key', async () => {
  const keys = { ...operatorKeys, secretAccessKey: 'not-the-key' };
  const { name, message } = await errorOf(secretsManagerAt(aws.url, keys).send(get));
  assert.is(name, 'InvalidSignatureException');
  assert.match(message, 'The request signature we calculated does not match');
  assert.is(aws.calls()[0]?.identity, undefined);
});

test('rejects an access key that it did not issue', async () => {
  const keys = { ...operatorKeys, accessKeyId: 'AKIAUNKNOWN' };
  assert.equal(await errorOf(secretsManagerAt(aws.url, keys).send(get)), {
    name: 'UnrecognizedClientException',
    message: 'The security token included in the request is invalid.',
  });
});

test('rejects issued keys without their session token, or with another', async () => {
  const response = await send(aws.agentUrl, 'GET', { authorization: 'pod-token' });
  const { AccessKeyId, SecretAccessKey, Token } = JSON.parse(response.body);
  const keys = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey };
  assert.is((await errorOf(secretsManagerAt(aws.url, keys).send(get))).name, 'UnrecognizedClientException');
  const foreign = { ...keys, sessionToken: `${Token}x` };
  assert.is(
    (await errorOf(secretsManagerAt(aws.url, foreign).send(get))).name,
    'UnrecognizedClientException',
  );
  const { SecretString } = await secretsManagerAt(aws.url, { ...keys, sessionToken: Token }).send(get);
  assert.is(SecretString, 'hunter2');
});

test('rejects a body that differs from the signed one', async () => {
  const headers = signed(aws.url, request);
  assert.is((await rejection(headers))[0], 200);
  assert.equal((await rejection(headers, body.replace('password', 'login'))).slice(0, 2), [
    400,
    'InvalidSignatureException',
  ]);
});

test('rejects a signed header that was changed in transit', async () => {
  const headers = { ...signed(aws.url, request), 'x-amz-target': 'secretsmanager.DescribeSecret' };
  assert.is((await rejection(headers))[1], 'InvalidSignatureException');
});

test('uses the path that the SDK signed', async () => {
  const deep = secretsManagerAt(`${aws.url}/a path/(to)/it`);
  assert.is((await deep.send(get)).SecretString, 'hunter2');
});

test('names the missing part', async () => {
  assert.equal(await rejection(target), [
    400,
    'MissingAuthenticationTokenException',
    'Missing Authentication Token',
  ]);
  const { authorization = '', ...others } = signed(aws.url, request);
  const cut = authorization.replace(/, Signature=.*/, '');
  assert.equal(await rejection({ ...others, authorization: cut }), [
    400,
    'IncompleteSignatureException',
    "Authorization header requires 'Signature' parameter. Authorization=AWS4-HMAC-SHA256",
  ]);
  const scopeless = authorization.replace('/aws4_request', '');
  assert.is((await rejection({ ...others, authorization: scopeless }))[1], 'IncompleteSignatureException');
  const { 'x-amz-date': _, ...undated } = signed(aws.url, request);
  assert.match((await rejection(undated))[2], "requires 'X-Amz-Date'");
});

test('requires service, region and day in the scope', async () => {
  const wrong = [
    [{ service: 'ssm' }, "Credential should be scoped to correct service: 'secretsmanager'."],
    [{ region: 'Eu' }, "Credential should be scoped to a valid region, not 'Eu'."],
    [{ date: '20200101' }, /^Date in Credential scope does not match/],
  ] as const;
  for (const [change, sentence] of wrong) {
    const [status, code, message] = await rejection(signed(aws.url, { ...request, ...change }));
    assert.equal([status, code], [400, 'InvalidSignatureException']);
    assert.match(message, sentence);
  }
});

test('requires an AWS host name of the signed region', async () => {
  const to = (host: string) => signed(aws.url, { ...request, headers: { ...target, host } });
  assert.is((await rejection(to('secretsmanager.eu-west-1.amazonaws.com')))[0], 200);
  assert.match((await rejection(to('secretsmanager.us-east-1.amazonaws.com')))[2], "not 'eu-west-1'");
});

test('requires a signed host', async () => {
  const { host: _, ...hostless } = signed(aws.url, { ...request, unsigned: ['host'] });
  assert.match((await rejection(hostless))[2], "must be a 'SignedHeader'");
});

test('accepts a clock skew of five minutes, not more', async () => {
  const now = Date.now();
  const still = await startExample({ clock: { now: () => now, sleep: () => Promise.resolve() } });
  const at = async (minutes: number) => {
    const headers = signed(still.url, { ...request, at: now + minutes * 60_000 });
    const response = await send(still.url, 'POST', headers, body);
    return response.status === 200 ? 'accepted' : JSON.parse(response.body).Message;
  };
  assert.is(await at(-4.9), 'accepted');
  assert.is(await at(4.9), 'accepted');
  assert.match(await at(-5.1), /^Signature expired: .* - 5 min\.\)$/);
  assert.match(await at(5.1), /^Signature not yet current: .* \+ 5 min\.\)$/);
  await still.close();
});

test('the SDK corrects clock skew by the Date header', async () => {
  aws.advanceClock({ ms: 3_600_000 });
  const client = secretsManagerAt(aws.url);
  assert.is((await errorOf(client.send(get))).name, 'InvalidSignatureException');
  assert.is((await client.send(get)).SecretString, 'hunter2');
});

test('credentials expire at their time', async () => {
  let now = Date.now();
  const short = await startFakeAws({
    seed: { identities: { app: { podIdentityTokens: ['t'], lifetime: 1 } } },
    clock: { now: () => now, sleep: () => Promise.resolve() },
  });
  const response = await send(short.agentUrl, 'GET', { authorization: 't' });
  const { AccessKeyId, SecretAccessKey, Token } = JSON.parse(response.body);
  const keys = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token };
  const client = secretsManagerAt(short.url, keys);
  now += 999;
  assert.is((await errorOf(client.send(get))).name, 'ResourceNotFoundException');
  now += 1;
  assert.equal(await errorOf(client.send(get)), {
    name: 'ExpiredTokenException',
    message: 'The security token included in the request is expired',
  });
  await short.close();
});

test('all issued credentials can be expired at once, without static keys', async () => {
  await send(aws.agentUrl, 'GET', { authorization: 'pod-token' });
  await send(aws.agentUrl, 'GET', { authorization: 'narrow-token' });
  assert.is(aws.expireCredentials({ identity: 'narrow' }), 1);
  assert.is(aws.expireCredentials(), 1);
  assert.is(aws.expireCredentials(), 0);
  assert.is((await secretsManagerAt(aws.url).send(get)).SecretString, 'hunter2');
});

test('returns the data of the signed region', async () => {
  const there = await secretsManagerAt(aws.url, operatorKeys, 'us-east-1').send(get);
  assert.is(there.SecretString, 'hunter2-over-there');
  const nowhere = await errorOf(secretsManagerAt(aws.url, operatorKeys, 'ap-south-1').send(get));
  assert.is(nowhere.name, 'ResourceNotFoundException');
});

test('rejects an unknown operation, and responds with 404 to a request that is not a call', async () => {
  const headers = signed(aws.url, { ...request, headers: { 'x-amz-target': 'secretsmanager.RotateSecret' } });
  assert.is((await rejection(headers))[1], 'UnknownOperationException');
  assert.is((await send(aws.url, 'GET', {})).status, 404);
  assert.is((await rejection(signed(aws.url, { ...request, body: '[' }), '['))[1], 'SerializationException');
});

test.run();
