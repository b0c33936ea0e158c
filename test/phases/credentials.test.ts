/** Phases with the real AWS client and the fake AWS: what needs real credentials, clients and responses. */

import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FakeAws, startFakeAws } from '../fake-aws/server.ts';
import { awsSource } from '../support/aws-source.ts';
import { config } from '../support/config.ts';
import { scratch } from '../support/scratch.ts';
import { until } from '../support/wait.ts';
import { objectOf, openWorld, play, start, type Truth, type World } from '../support/world.ts';

const region = 'eu-west-1';
const test = suite<{ aws: FakeAws }>('phases: credentials');
test.before(async (context) => {
  context.aws = await startFakeAws({
    seed: {
      identities: {
        app: {
          role: 'arn:aws:iam::111122223333:role/app',
          podIdentityTokens: ['pod-1'],
          webIdentityTokens: ['web-1'],
          lifetime: 3600,
        },
      },
      regions: { [region]: { secrets: { a: '1', b: '1' } } },
    },
  });
});
test.before.each(({ aws }) => aws.reset());
test.after(({ aws }) => aws.close());

/** A world that uses the fake AWS, and the token file of its pod. */
async function openAwsWorld(aws: FakeAws, kind: 'pod-identity' | 'irsa') {
  const token = join(scratch(), 'token');
  const rotate = (text: string) => {
    writeFileSync(`${token}.tmp`, text);
    renameSync(`${token}.tmp`, token);
  };
  rotate(kind === 'irsa' ? 'web-1' : 'pod-1');
  const env = {
    AWS_ENDPOINT_URL: aws.url,
    ...(kind === 'irsa'
      ? { AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/app', AWS_WEB_IDENTITY_TOKEN_FILE: token }
      : {
          AWS_CONTAINER_CREDENTIALS_FULL_URI: aws.agentUrl,
          AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: token,
        }),
  };
  const world = await openWorld({
    secrets: {},
    config: config([objectOf('a'), objectOf('b')].join('\n')),
    // Signatures and expiries use the real date.
    now: Date.now(),
    source: ({ clock, log }) => awsSource(env, clock, log, { apiCall() {} }),
  });
  return { world, rotate };
}

/** Advances the clock of the sidecar without affecting a sync: a second at a time, and then to the end of the sync. */
const wait = async (world: World, minutes: number) => {
  for (let second = 0; second < minutes * 60; second++) {
    await world.clock.advance(1000);
    await world.idle();
  }
};
/** The next refresh, on the real date, which signatures use. */
const refresh = (world: World) => wait(world, 10);
/** Time passes for AWS too. */
const sync =
  (aws: FakeAws, minutes: number, times = 1) =>
  async (world: World) => {
    for (let time = 0; time < times; time++) {
      aws.advanceClock({ ms: minutes * 60_000 });
      await wait(world, minutes);
    }
  };
const begin = async (world: World) => {
  await start(world);
  await world.idle();
};
const look = async (world: World) => {
  world.hangup();
  await world.clock.settle();
  await world.idle();
};
const put = (aws: FakeAws, name: string, string: string) => () =>
  void aws.putSecret({ region, name, string });
const files = (a: string, b: string): Truth => ({ files: { a, b } });

for (const kind of ['pod-identity', 'irsa'] as const) {
  const asking = { operation: kind === 'irsa' ? 'AssumeRoleWithWebIdentity' : 'GetCredentials' };

  test(`${kind}: credentials that expire between two calls of a sync are replaced within it`, async ({
    aws,
  }) => {
    const { world } = await openAwsWorld(aws, kind);
    await play(world, [
      { happens: begin, holds: files('1', '1') },
      { happens: put(aws, 'a', '2'), holds: {} },
      { happens: put(aws, 'b', '2'), holds: {} },
      {
        happens: async (w) => {
          // One call of the sync still goes through, the other one does not.
          aws.addFault({
            on: { operation: 'GetSecretValue' },
            after: 1,
            times: 1,
            does: { kind: 'expired' },
          });
          await refresh(w);
        },
        holds: { files: { a: '2', b: '2' }, notified: ['a,b'], failures: 0 },
      },
    ]);
    assert.is(aws.count(asking), 2);
  });

  test(`${kind}: the next sync replaces credentials that were revoked, without a failure`, async ({
    aws,
  }) => {
    const { world } = await openAwsWorld(aws, kind);
    await play(world, [
      { happens: begin, holds: files('1', '1') },
      { happens: () => void aws.expireCredentials(), holds: {} },
      { happens: put(aws, 'a', '2'), holds: {} },
      {
        happens: refresh,
        holds: { files: { a: '2', b: '1' }, failures: 0, logged: ['notify.succeeded'] },
      },
    ]);
    assert.is(aws.count(asking), 2);
  });

  test(`${kind}: a token that the kubelet renewed is used at the next renewal`, async ({ aws }) => {
    const { world, rotate } = await openAwsWorld(aws, kind);
    const tokens = kind === 'irsa' ? 'webIdentityTokens' : 'podIdentityTokens';
    const renew = () => {
      rotate('new-token');
      aws.changeIdentity({ name: 'app', [tokens]: ['new-token'] });
    };
    await play(world, [
      { happens: begin, holds: files('1', '1') },
      { happens: renew, holds: {} },
      // 50 minutes: credentials for one hour are used until five minutes before they expire.
      {
        happens: sync(aws, 10, 5),
        holds: { failures: 0 },
      },
      { happens: () => assert.is(aws.count(asking), 1), holds: {} },
      { happens: put(aws, 'a', '2'), holds: {} },
      { happens: sync(aws, 10), holds: { files: { a: '2', b: '1' }, failures: 0 } },
    ]);
    assert.is(aws.count(asking), 2);
  });

  test(`${kind}: without new credentials the old ones are used until they expire; after that the files stay`, async ({
    aws,
  }) => {
    const { world } = await openAwsWorld(aws, kind);
    await play(world, [
      { happens: begin, holds: files('1', '1') },
      {
        happens: () => void aws.addFault({ on: asking, does: { kind: 'server-error', status: 500 } }),
        holds: {},
      },
      {
        happens: sync(aws, 10, 5),
        holds: { failures: 0 },
      },
      // The renewal fails in the last five minutes, and the old credentials still work.
      { happens: sync(aws, 6), holds: {} },
      {
        happens: look,
        holds: { logged: ['credentials.renewal'], failures: 0 },
      },
      { happens: put(aws, 'a', '2'), holds: {} },
      { happens: sync(aws, 20), holds: { files: { a: '1', b: '1' }, ready: true, notified: [] } },
      {
        happens: (w) => {
          assert.ok(w.status().consecutiveFailures > 0);
          aws.clearFaults();
        },
        holds: {},
      },
      { happens: sync(aws, 3), holds: { files: { a: '2', b: '1' }, notified: ['a'], failures: 0 } },
    ]);
  });
}

const agentRefuses = (code: string, status: number) => ({ kind: 'error', code, status }) as const;

/**
 * How long the start retries: not at all (0), while IAM changes may still propagate (15 s), or until the start timeout (60
 * s).
 */
for (const [kind, does, seconds] of [
  ['pod-identity', agentRefuses('AccessDeniedException', 403), 15],
  ['pod-identity', agentRefuses('AccessDeniedException', 400), 15],
  ['pod-identity', agentRefuses('ExpiredTokenException', 400), 15],
  ['pod-identity', agentRefuses('ResourceNotFoundException', 404), 15],
  ['pod-identity', agentRefuses('InvalidTokenException', 400), 0],
  ['pod-identity', agentRefuses('InvalidParameterException', 400), 0],
  ['pod-identity', agentRefuses('ThrottlingException', 429), 60],
  ['pod-identity', agentRefuses('InternalServerException', 500), 60],
  ['irsa', agentRefuses('AccessDenied', 403), 15],
  ['irsa', agentRefuses('ValidationError', 400), 0],
  ['irsa', agentRefuses('IDPRejectedClaim', 403), 0],
] as const) {
  test(`${kind}: ${does.code} with ${does.status} ends the start after ${seconds} s`, async ({ aws }) => {
    const operation = kind === 'irsa' ? 'AssumeRoleWithWebIdentity' : 'GetCredentials';
    aws.addFault({ on: { operation }, does });
    const { world } = await openAwsWorld(aws, kind);
    await begin(world);
    for (let second = 0; second < 70 && world.ended() === undefined; second++) {
      await world.clock.advance(1000);
      await world.idle();
    }
    assert.is(world.ended()?.at, seconds * 1000);
    assert.is(aws.count({ operation }) > 1, seconds > 0);
  });
}

for (const [kind, message] of [
  ['pod-identity', /token cannot be parsed/],
  ['irsa', /InvalidIdentityToken/],
] as const) {
  test(`${kind}: a token file that holds no token ends the start at once`, async ({ aws }) => {
    const { world, rotate } = await openAwsWorld(aws, kind);
    rotate('no-token');
    await begin(world);
    assert.is(world.ended()?.at, 0);
    assert.match(String(world.ended()?.reason), message);
  });
}

for (const kind of ['pod-identity', 'irsa'] as const) {
  test(`${kind}: an empty token file ends the start at once, because the kubelet writes it before`, async ({
    aws,
  }) => {
    const { world, rotate } = await openAwsWorld(aws, kind);
    rotate('');
    await begin(world);
    assert.is(world.ended()?.at, 0);
    assert.match(String(world.ended()?.reason), /expected the service account's token, got an empty file/);
  });
}

test('a secret that is scheduled for deletion keeps its file, and is read again after a restore', async ({
  aws,
}) => {
  const { world } = await openAwsWorld(aws, 'pod-identity');
  await play(world, [
    { happens: begin, holds: files('1', '1') },
    { happens: () => void aws.putSecret({ region, name: 'a', deleted: true }), holds: {} },
    { happens: put(aws, 'b', '2'), holds: {} },
    { happens: sync(aws, 10), holds: { files: { a: '1', b: '1' }, failures: 1, notified: [] } },
    { happens: () => void aws.putSecret({ region, name: 'a', deleted: false, string: '2' }), holds: {} },
    { happens: sync(aws, 3), holds: { files: { a: '2', b: '2' }, failures: 0, notified: ['a,b'] } },
  ]);
});

test('a call that hangs ends by its timeout, and the next sync succeeds', async ({ aws }) => {
  const { world } = await openAwsWorld(aws, 'pod-identity');
  await play(world, [
    { happens: begin, holds: files('1', '1') },
    { happens: () => void aws.addFault({ on: { id: 'a' }, does: { kind: 'hang' } }), holds: {} },
    { happens: put(aws, 'b', '2'), holds: {} },
    {
      happens: async (w) => {
        await w.clock.advance(600_000);
        // Three attempts of 5 s each, with the SDK's short pauses between them.
        await until('the end of the sync', async () => {
          await new Promise((resolve) => setTimeout(resolve, 50));
          await w.clock.advance(1000);
          return !w.isBusy();
        });
        await w.idle();
      },
      holds: { files: { a: '1', b: '1' }, failures: 1 },
    },
    { happens: () => aws.clearFaults(), holds: {} },
    { happens: sync(aws, 3), holds: { files: { a: '1', b: '2' }, failures: 0 } },
  ]);
});

test.run();
