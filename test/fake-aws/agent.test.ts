import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { fromHttp } from '@aws-sdk/credential-provider-http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rejects } from '../support/rejects.ts';
import { startExample } from './example.ts';
import { secretsManagerAt, send } from './requests.ts';

const test = suite('fake Pod Identity agent');
const aws = await startExample();

test.before.each(() => aws.reset());
test.after(() => aws.close());

const provider = (token: string) =>
  fromHttp({
    awsContainerCredentialsFullUri: aws.agentUrl,
    awsContainerAuthorizationToken: token,
    maxRetries: 0,
  });
const ask = (headers: Readonly<Record<string, string>>) => send(aws.agentUrl, 'GET', headers);

test('exchanges a token for credentials that work', async () => {
  const credentials = await provider('pod-token')();
  assert.match(credentials.accessKeyId, /^ASIA[A-Z2-7]{16}$/);
  const life = (credentials.expiration?.getTime() ?? 0) - Date.now();
  assert.ok(life > 5.9 * 3_600_000 && life <= 6 * 3_600_000);
  const client = secretsManagerAt(aws.url, credentials as Required<typeof credentials>);
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: 'db/password' }));
  assert.is(SecretString, 'hunter2');
  assert.match(
    aws.calls({ service: 'secretsmanager' })[0]?.identity ?? '',
    /^arn:aws:sts::111122223333:assumed-role\/app\/eks-fake-app-/,
  );
});

test('responds in the agent’s format', async () => {
  const response = await ask({ authorization: 'narrow-token' });
  assert.is(response.headers['content-type'], 'application/json');
  const credentials = JSON.parse(response.body);
  assert.equal(Object.keys(credentials), [
    'AccessKeyId',
    'SecretAccessKey',
    'Token',
    'AccountId',
    'Expiration',
  ]);
  assert.is(credentials.AccountId, '111122223333');
  assert.match(credentials.Expiration, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.ok(Date.parse(credentials.Expiration) <= Date.now() + 900_000);
});

test('reports errors in plain text', async () => {
  const rejected = [
    [{}, 400, /^Service account token cannot be empty\n$/],
    [{ authorization: 'what' }, 400, /^Service account token cannot be parsed: /],
    [{ authorization: 'a.b.c' }, 400, /^\[[-\w]+\]: \(InvalidTokenException\): .*, fault: client\n$/],
    [{ authorization: 'old-token' }, 400, /\(ExpiredTokenException\)/],
    [{ authorization: 'web-token' }, 400, /cannot be parsed/],
  ] as const;
  for (const [headers, status, sentence] of rejected) {
    const response = await ask(headers);
    assert.is(response.status, status);
    assert.match(response.body, sentence);
    assert.is(response.headers['content-type'], 'text/plain; charset=utf-8');
  }
});

test('accepts a new token as soon as the identity has it', async () => {
  aws.changeIdentity({ name: 'app', podIdentityTokens: ['fresh'], expiredTokens: ['pod-token'] });
  assert.match((await ask({ authorization: 'pod-token' })).body, 'ExpiredTokenException');
  assert.is((await ask({ authorization: 'fresh' })).status, 200);
});

test('fails like the EKS Auth API', async () => {
  const failing = [
    [
      { kind: 'error', code: 'AccessDeniedException', message: 'no', status: 403 },
      403,
      /\(AccessDeniedException\): no/,
    ],
    [{ kind: 'error', code: 'ResourceNotFoundException', status: 404 }, 404, /ResourceNotFoundException/],
    [{ kind: 'throttle', status: 429 }, 429, /ThrottlingException/],
    [{ kind: 'server-error' }, 500, /fault: server/],
    [{ kind: 'server-error', status: 503, body: 'empty' }, 503, /^$/],
  ] as const;
  for (const [does, status, body] of failing) {
    aws.addFault({ on: { service: 'agent' }, times: 1, does });
    const response = await ask({ authorization: 'pod-token' });
    assert.is(response.status, status);
    assert.match(response.body, body);
  }
  aws.addFault({ on: { service: 'agent' }, times: 1, does: { kind: 'server-error' } });
  assert.match(((await rejects(provider('pod-token')())) as Error).message, '500');
});

test('can return expired credentials', async () => {
  aws.addFault({ on: { service: 'agent' }, does: { kind: 'expired' } });
  const { Expiration } = JSON.parse((await ask({ authorization: 'pod-token' })).body);
  assert.ok(Date.parse(Expiration) < Date.now());
});

test.run();
