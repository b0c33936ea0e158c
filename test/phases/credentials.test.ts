/** The same over the real edge to AWS and its stand-in: what only real credentials, clients and answers can show. */

import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type StandIn, startStandIn } from '../aws-stand-in/server.ts';
import { awsSource } from '../support/aws-source.ts';
import { config } from '../support/config.ts';
import { until } from '../support/patience.ts';
import { scratch } from '../support/scratch.ts';
import { objectOf, openWorld, play, start, type Truth, type World } from '../support/world.ts';

const region = 'eu-west-1';
const test = suite<{ aws: StandIn }>('phases: credentials');
test.before(async (context) => {
  context.aws = await startStandIn({
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

/** A world that asks the stand-in, and the token file of its pod. */
async function house(aws: StandIn, kind: 'pod-identity' | 'irsa') {
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
    // Signatures and expiries are of the real day.
    now: Date.now(),
    source: ({ clock, log }) => awsSource(env, clock, log, { apiCall() {} }),
  });
  return { world, rotate };
}

/** Time passes for the sidecar, which no pass is to notice: a second at a time, and then to the end of the pass. */
const wait = async (world: World, minutes: number) => {
  for (let second = 0; second < minutes * 60; second++) {
    await world.clock.advance(1000);
    await world.idle();
  }
};
/** The next refresh, on the day of the signatures, which is the real one. */
const refresh = (world: World) => wait(world, 10);
/** Time passes for AWS too. */
const pass =
  (aws: StandIn, minutes: number, times = 1) =>
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
const put = (aws: StandIn, name: string, string: string) => () =>
  void aws.putSecret({ region, name, string });
const files = (a: string, b: string): Truth => ({ files: { a, b } });

for (const kind of ['pod-identity', 'irsa'] as const) {
  const asking = { operation: kind === 'irsa' ? 'AssumeRoleWithWebIdentity' : 'GetCredentials' };

  test(`${kind}: credentials that expire between two calls of a pass are replaced within it`, async ({
    aws,
  }) => {
    const { world } = await house(aws, kind);
    await play(world, [
      { happens: begin, holds: files('1', '1') },
      { happens: put(aws, 'a', '2'), holds: {} },
      { happens: put(aws, 'b', '2'), holds: {} },
      {
        happens: async (w) => {
          // One call of the pass still goes through, the other one does not.
          aws.addFault({
            on: { operation: 'GetSecretValue' },
            after: 1,
            times: 1,
            does: { kind: 'expired' },
          });
          await refresh(w);
        },
        holds: { files: { a: '2', b: '2' }, told: ['a,b'], failures: 0 },
      },
    ]);
    assert.is(aws.count(asking), 2);
  });

  test(`${kind}: all credentials are withdrawn: the next pass has new ones, and nobody notices`, async ({
    aws,
  }) => {
    const { world } = await house(aws, kind);
    await play(world, [
      { happens: begin, holds: files('1', '1') },
      { happens: () => void aws.expireCredentials(), holds: {} },
      { happens: put(aws, 'a', '2'), holds: {} },
      {
        happens: refresh,
        holds: { files: { a: '2', b: '1' }, failures: 0, said: ['notify.told'] },
      },
    ]);
    assert.is(aws.count(asking), 2);
  });

  test(`${kind}: a token that the kubelet renewed is used at the next renewal`, async ({ aws }) => {
    const { world, rotate } = await house(aws, kind);
    const tokens = kind === 'irsa' ? 'webIdentityTokens' : 'podIdentityTokens';
    const renew = () => {
      rotate('new-token');
      aws.changeIdentity({ name: 'app', [tokens]: ['new-token'] });
    };
    await play(world, [
      { happens: begin, holds: files('1', '1') },
      { happens: renew, holds: {} },
      // 50 minutes: what was issued for an hour serves until five minutes before its end.
      {
        happens: pass(aws, 10, 5),
        holds: { failures: 0 },
      },
      { happens: () => assert.is(aws.count(asking), 1), holds: {} },
      { happens: put(aws, 'a', '2'), holds: {} },
      { happens: pass(aws, 10), holds: { files: { a: '2', b: '1' }, failures: 0 } },
    ]);
    assert.is(aws.count(asking), 2);
  });

  test(`${kind}: no new credentials to be had: the old ones serve to their end, the files beyond it`, async ({
    aws,
  }) => {
    const { world } = await house(aws, kind);
    await play(world, [
      { happens: begin, holds: files('1', '1') },
      {
        happens: () => void aws.addFault({ on: asking, does: { kind: 'server-error', status: 500 } }),
        holds: {},
      },
      {
        happens: pass(aws, 10, 5),
        holds: { failures: 0 },
      },
      // The renewal fails in the last five minutes, and the old ones still serve.
      { happens: pass(aws, 6), holds: {} },
      {
        happens: look,
        holds: { said: ['credentials.renewal'], failures: 0 },
      },
      { happens: put(aws, 'a', '2'), holds: {} },
      { happens: pass(aws, 20), holds: { files: { a: '1', b: '1' }, ready: true, told: [] } },
      {
        happens: (w) => {
          assert.ok(w.status().consecutiveFailures > 0);
          aws.clearFaults();
        },
        holds: {},
      },
      { happens: pass(aws, 3), holds: { files: { a: '2', b: '1' }, told: ['a'], failures: 0 } },
    ]);
  });
}

test('a secret that is marked for deletion keeps its file, and is read again when it is restored', async ({
  aws,
}) => {
  const { world } = await house(aws, 'pod-identity');
  await play(world, [
    { happens: begin, holds: files('1', '1') },
    { happens: () => void aws.putSecret({ region, name: 'a', deleted: true }), holds: {} },
    { happens: put(aws, 'b', '2'), holds: {} },
    { happens: pass(aws, 10), holds: { files: { a: '1', b: '1' }, failures: 1, told: [] } },
    { happens: () => void aws.putSecret({ region, name: 'a', deleted: false, string: '2' }), holds: {} },
    { happens: pass(aws, 3), holds: { files: { a: '2', b: '2' }, failures: 0, told: ['a,b'] } },
  ]);
});

test('a call that hangs is ended by its own limit, and the next pass is as good as any', async ({ aws }) => {
  const { world } = await house(aws, 'pod-identity');
  await play(world, [
    { happens: begin, holds: files('1', '1') },
    { happens: () => void aws.addFault({ on: { id: 'a' }, does: { kind: 'hang' } }), holds: {} },
    { happens: put(aws, 'b', '2'), holds: {} },
    {
      happens: async (w) => {
        await w.clock.advance(600_000);
        // Three attempts of 5 s each, with the SDK's own short pauses between them.
        await until('the end of the pass', async () => {
          await new Promise((resolve) => setTimeout(resolve, 50));
          await w.clock.advance(1000);
          return !w.isBusy();
        });
        await w.idle();
      },
      holds: { files: { a: '1', b: '1' }, failures: 1 },
    },
    { happens: () => aws.clearFaults(), holds: {} },
    { happens: pass(aws, 3), holds: { files: { a: '1', b: '2' }, failures: 0 } },
  ]);
});

test.run();
