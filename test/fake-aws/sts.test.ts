import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { fromWebToken } from '@aws-sdk/credential-provider-web-identity';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rejects } from '../support/rejects.ts';
import { startExample } from './example.ts';
import { operatorKeys, secretsManagerAt, send, signed } from './requests.ts';

const test = suite('STS');
const aws = await startExample();
const role = 'arn:aws:iam::111122223333:role/app';
const whoAmI = 'Action=GetCallerIdentity&Version=2011-06-15';
const form = { 'content-type': 'application/x-www-form-urlencoded' };

test.before.each(() => aws.reset());
test.after(() => aws.close());

const assume = (webIdentityToken: string, roleArn = role, durationSeconds?: number) =>
  fromWebToken({
    roleArn,
    webIdentityToken,
    roleSessionName: 'pod-1',
    ...(durationSeconds === undefined ? {} : { durationSeconds }),
    clientConfig: { endpoint: aws.url, region: 'eu-west-1', maxAttempts: 1 },
  })();

test('exchanges a web identity token for credentials that work', async () => {
  const credentials = await assume('web-token', role, 900);
  const life = (credentials.expiration?.getTime() ?? 0) - Date.now();
  assert.ok(life > 600_000 && life <= 900_000);
  const client = secretsManagerAt(aws.url, credentials as Required<typeof credentials>);
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: 'db/password' }));
  assert.is(SecretString, 'hunter2');
  const [exchange, read] = aws.calls();
  assert.equal(exchange?.ids, [role]);
  assert.is(read?.identity, 'arn:aws:sts::111122223333:assumed-role/app/pod-1');
});

test('rejects with AWS’s messages', async () => {
  const rejected = [
    [() => assume('unknown'), 'InvalidIdentityTokenException', /not a valid JWT/],
    [
      () => assume('old-token'),
      'ExpiredTokenException',
      /^Token expired: current date\/time \d+ must be before/,
    ],
    [
      () => assume('web-token', 'arn:aws:iam::111122223333:role/other'),
      'AccessDenied',
      /^Not authorized to perform sts:AssumeRoleWithWebIdentity$/,
    ],
  ] as const;
  for (const [attempt, code, sentence] of rejected) {
    const { name, message } = (await rejects(attempt())) as Error;
    assert.is(name, code);
    assert.match(message, sentence);
  }
  assert.equal(
    aws.calls().map(({ status, code }) => [status, code]),
    [
      [400, 'InvalidIdentityToken'],
      [400, 'ExpiredTokenException'],
      [403, 'AccessDenied'],
    ],
  );
});

test('returns configured errors', async () => {
  const message = 'Error fetching the key & <more>';
  aws.addFault({
    on: { service: 'sts' },
    times: 1,
    does: { kind: 'error', code: 'IDPCommunicationError', message },
  });
  aws.addFault({ on: { service: 'sts' }, times: 1, does: { kind: 'throttle' } });
  const communication = (await rejects(assume('web-token'))) as Error;
  assert.is(communication.name, 'IDPCommunicationErrorException');
  assert.is(communication.message, message);
  assert.is(((await rejects(assume('web-token'))) as Error).name, 'Throttling');
});

test('returns configured garbage', async () => {
  aws.addFault({ times: 1, does: { kind: 'garbage', shape: 'no-value' } });
  aws.addFault({ times: 1, does: { kind: 'garbage', shape: 'truncated' } });
  assert.match(String(await rejects(assume('web-token'))), 'Invalid response from STS');
  assert.match(String(await rejects(assume('web-token'))), 'XML parse error');
});

test('returns the identity of the signer', async () => {
  const headers = signed(aws.url, { service: 'sts', headers: form, body: whoAmI });
  const response = await send(aws.url, 'POST', headers, whoAmI);
  assert.is(response.status, 200);
  assert.is(response.headers['content-type'], 'text/xml');
  assert.match(response.body, '<Arn>arn:aws:iam::111122223333:user/operator</Arn>');
  assert.match(response.body, '<Account>111122223333</Account>');
});

test('reports a wrong signature in the query protocol', async () => {
  const sent = (headers: Readonly<Record<string, string>>) => send(aws.url, 'POST', headers, whoAmI);
  const request = { service: 'sts', headers: form, body: whoAmI };
  const unsigned = await sent(form);
  assert.is(unsigned.status, 403);
  assert.match(unsigned.body, '<Code>MissingAuthenticationToken</Code>');
  const wrongKey = { ...operatorKeys, secretAccessKey: 'x' };
  assert.match((await sent(signed(aws.url, { ...request, keys: wrongKey }))).body, 'SignatureDoesNotMatch');
  const unknown = { ...operatorKeys, accessKeyId: 'AKIA' };
  assert.match((await sent(signed(aws.url, { ...request, keys: unknown }))).body, 'InvalidClientTokenId');
});

test('can return expired credentials', async () => {
  aws.addFault({ does: { kind: 'expired' } });
  const { expiration } = await assume('web-token');
  assert.ok((expiration?.getTime() ?? Number.POSITIVE_INFINITY) < Date.now());
});

test('escapes messages in XML', async () => {
  aws.addFault({ does: { kind: 'error', code: 'X', message: '<a> & b' } });
  const body = 'Action=AssumeRoleWithWebIdentity';
  assert.match((await send(aws.url, 'POST', form, body)).body, '<Message>&lt;a&gt; &amp; b</Message>');
});

test('names a missing parameter', async () => {
  const body = `Action=AssumeRoleWithWebIdentity&RoleArn=${role}&RoleSessionName=s`;
  const response = await send(aws.url, 'POST', form, body);
  assert.is(response.status, 400);
  assert.match(response.body, "Value null at 'webIdentityToken' failed to satisfy constraint");
});

test.run();
