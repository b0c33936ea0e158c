import { writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { secretRef } from '../../src/config/secret-ref.ts';
import type { Misbehaviour } from '../fake-aws/faults.ts';
import { openWorld, REGION, secret, type World, type WorldOptions } from './world.ts';

const test = suite('IRSA');

const opened: World[] = [];
async function open(options: WorldOptions = {}): Promise<World> {
  const world = await openWorld({
    auth: 'irsa',
    seed: { regions: { [REGION]: { secrets: { a: 'x' } }, 'us-east-1': { secrets: { a: 'y' } } } },
    ...options,
  });
  opened.push(world);
  return world;
}
test.after(async () => {
  await Promise.all(opened.map((world) => world.close()));
});

const there = secretRef({ service: 'secretsmanager', region: 'us-east-1', id: 'a' });

test('exchanges the token for credentials with the session name', async () => {
  const { aws, read, counted } = await open();
  assert.match((await read(secret('a')))[0] ?? '', /^found x/);
  assert.match(
    aws.calls({ operation: 'GetSecretValue' })[0]?.identity ?? '',
    /assumed-role\/app\/podsecrets-test$/,
  );
  assert.equal(counted, [
    `sts AssumeRoleWithWebIdentity ${REGION} success`,
    `secretsmanager GetSecretValue ${REGION} success`,
  ]);
});

test('each region uses its own STS, once', async () => {
  const { aws, read, counted } = await open();
  const many = Array.from({ length: 20 }, (_, at) =>
    secret('a', { stage: at % 2 ? 'AWSCURRENT' : `no${at}` }),
  );
  const texts = await read(secret('a'), there, ...many);
  assert.match(texts[1] ?? '', /^found y/);
  assert.is(aws.count({ service: 'sts' }), 2);
  assert.equal(counted.filter((line) => line.startsWith('sts')).sort(), [
    `sts AssumeRoleWithWebIdentity ${REGION} success`,
    'sts AssumeRoleWithWebIdentity us-east-1 success',
  ]);
});

test('a failure of STS in one region does not affect the other', async () => {
  const { aws, read } = await open();
  // This call is not signed, so the fake AWS cannot distinguish regions: the first one fails.
  aws.addFault({
    on: { service: 'sts' },
    times: 1,
    does: { kind: 'error', code: 'AccessDenied', status: 403 },
  });
  const texts = await read(secret('a'), there);
  assert.is(texts.filter((text) => text.startsWith('found ')).length, 1);
  assert.is(texts.filter((text) => text.endsWith('[credentials.sts]')).length, 1);
});

test('reads the token for each exchange', async () => {
  const { aws, read, tokenFile } = await open({ identity: { webIdentityTokens: ['one', 'two'] } });
  writeFileSync(tokenFile, 'one');
  await read(secret('a'));
  aws.changeIdentity({ name: 'app', webIdentityTokens: ['two'] });
  writeFileSync(tokenFile, 'two');
  aws.expireCredentials();
  assert.match((await read(secret('a')))[0] ?? '', /^found x/);
  assert.is(aws.count({ service: 'sts' }), 2);
});

const error = (code: string, status = 400): Misbehaviour => ({ kind: 'error', code, status });

const failures: readonly (readonly [string, Misbehaviour, RegExp])[] = [
  ['InvalidIdentityToken', error('InvalidIdentityToken'), /InvalidIdentityToken.*OIDC identity provider/],
  ['ExpiredTokenException', error('ExpiredTokenException'), /ExpiredToken.*kubelet renews/],
  ['AccessDenied', error('AccessDenied', 403), /AccessDenied.*trust policy/],
  ['IDPCommunicationError', error('IDPCommunicationError'), /IDPCommunicationError.*OIDC issuer/],
  ['IDPRejectedClaim', error('IDPRejectedClaim', 403), /IDPRejectedClaim.*audience and subject/],
  ['ValidationError', error('ValidationError'), /ValidationError.*Correct the role ARN/],
  ['RegionDisabledException', error('RegionDisabledException', 403), /RegionDisabled.*Activate STS/],
  ['a failing server', { kind: 'server-error' }, /InternalServiceError.*AWS side/],
  ['a page of a proxy', { kind: 'server-error', status: 502, body: 'html' }, /HTTP status 502/],
  ['a cut', { kind: 'cut', at: 'mid-body' }, /ECONNRESET from 127\.0\.0\.1:\d+.*network to STS/],
  ['a hang', { kind: 'hang' }, /TimeoutError from 127\.0\.0\.1:\d+.*network to STS/],
  ['garbage', { kind: 'garbage', shape: 'not-json' }, /Check what responds at the endpoint/],
  ['no credentials', { kind: 'garbage', shape: 'no-value' }, /Check what responds at the endpoint/],
  ['expired credentials', { kind: 'expired' }, /credentials, got credentials that expired \d+ s ago/],
];
for (const [what, does, line] of failures) {
  test(`STS responds with ${what}`, async () => {
    const { aws, read, logged } = await open(does.kind === 'hang' ? { awsTimeout: 300 } : {});
    aws.addFault({ on: { service: 'sts' }, does });
    const [text = ''] = await read(secret('a'));
    assert.match(text, line);
    assert.match(text, /\[credentials\.(sts|expired)\]$/);
    assert.not.match(text, /canary/);
    assert.equal(logged, []);
    assert.is(aws.count({ service: 'secretsmanager' }), 0);
  });
}

test('distinguishes an unknown token from a role that does not trust it', async () => {
  const { read, tokenFile } = await open();
  writeFileSync(tokenFile, 'an.unknown.token');
  assert.match((await read(secret('a')))[0] ?? '', /InvalidIdentityToken/);
  const other = await open({ identity: { role: 'arn:aws:iam::111122223333:role/other' } });
  assert.match((await other.read(secret('a')))[0] ?? '', /AccessDenied.*trust policy/);
});

test.run();
