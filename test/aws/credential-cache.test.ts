import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type AwsCredentials, areUsable, createCredentialCache } from '../../src/aws/credential-cache.ts';
import { Problem } from '../../src/core/problem.ts';
import { fakeClock } from '../support/clock.ts';
import { rejects } from '../support/rejects.ts';
import { recordingLog } from './world.ts';

const test = suite('credential cache');

const MINUTE = 60_000;

/** A source with scripted results: a lifetime in minutes, or a failure. */
function scripted(script: (number | 'fails')[]) {
  const clock = fakeClock();
  const logged: string[] = [];
  let fetched = 0;
  const credentials = createCredentialCache(
    {
      name: 'the source',
      async fetch(): Promise<AwsCredentials> {
        const result = script[Math.min(fetched, script.length - 1)];
        fetched++;
        // As long as a request takes: callers that arrive meanwhile wait for it.
        await Promise.resolve();
        if (result === 'fails' || result === undefined) throw failure(fetched);
        const expiration = new Date(clock.now() + result * MINUTE);
        return { accessKeyId: `key${fetched}`, secretAccessKey: 's', sessionToken: 't', expiration };
      },
    },
    clock,
    recordingLog(logged),
  );
  const key = async (): Promise<string> => (await credentials.get()).accessKeyId;
  return { clock, logged, credentials, key, fetched: () => fetched };
}

function failure(attempt: number): Problem {
  return new Problem({
    code: 'credentials.agent',
    subject: 'agent',
    message: `attempt ${attempt}`,
    remedy: 'Wait.',
    retry: true,
  });
}

test('sends one request for a hundred callers', async () => {
  const { key, fetched } = scripted([60]);
  assert.equal(new Set(await Promise.all(Array.from({ length: 100 }, key))), new Set(['key1']));
  assert.is(fetched(), 1);
});

test('renews credentials five minutes before they expire, not sooner', async () => {
  const { clock, key } = scripted([60]);
  await key();
  await clock.advance(55 * MINUTE - 1);
  assert.is(await key(), 'key1');
  await clock.advance(1);
  assert.is(await key(), 'key2');
});

test('after a failed renewal returns the old credentials until they expire, and retries every 30 s', async () => {
  const { clock, key, fetched, logged } = scripted([60, 'fails']);
  await key();
  await clock.advance(55 * MINUTE);
  for (let second = 0; second < 60; second++) {
    assert.is(await key(), 'key1');
    await clock.advance(1000);
  }
  assert.is(fetched(), 3);
  assert.is(logged.length, 2);
  assert.match(
    logged[0] ?? '',
    /^warn credentials\.renewal expires=2026-01-01T01:00:00\.000Z: agent: attempt 2/,
  );
  await clock.advance(4 * MINUTE);
  assert.is(((await rejects(key())) as Problem).message, 'attempt 4');
});

test('uses renewed credentials as soon as a retry succeeds', async () => {
  const { clock, key } = scripted([60, 'fails', 60]);
  await key();
  await clock.advance(55 * MINUTE);
  assert.is(await key(), 'key1');
  await clock.advance(30_000);
  assert.is(await key(), 'key3');
});

test('callers in one sync share one failure; the next sync fetches again', async () => {
  const { clock, key, fetched } = scripted(['fails']);
  const first = await Promise.all([rejects(key()), rejects(key())]);
  const later = await rejects(key());
  assert.is(new Set([...first, later]).size, 1);
  assert.is(fetched(), 1);
  await clock.advance(50);
  assert.is.not(await rejects(key()), later);
  assert.is(fetched(), 2);
});

test('renews short-lived credentials after half their lifetime', async () => {
  const { clock, key, fetched } = scripted([2]);
  for (let second = 0; second < 120; second++) {
    await key();
    await clock.advance(1000);
  }
  assert.is(fetched(), 2);
});

test('reports credentials that are already expired, and fetches again only after a pause', async () => {
  const { clock, key, fetched } = scripted([-2]);
  const problem = (await rejects(key())) as Problem;
  assert.is(problem.code, 'credentials.expired');
  assert.match(problem.message, /expired 120 s ago/);
  assert.ok(problem.retry);
  for (let time = 0; time < 10; time++) await rejects(key());
  assert.is(fetched(), 1);
  await clock.advance(50);
  await rejects(key());
  assert.is(fetched(), 2);
});

test('renews credentials that expired while the node was suspended', async () => {
  const { clock, key } = scripted([60]);
  await key();
  await clock.suspend(8 * 60 * MINUTE);
  assert.is(await key(), 'key2');
});

test('never renews credentials without an expiration', async () => {
  const clock = fakeClock();
  let fetched = 0;
  const fetch = async () => ({ accessKeyId: `key${++fetched}`, secretAccessKey: 's' });
  const credentials = createCredentialCache({ name: 'static', fetch }, clock, recordingLog([]));
  await credentials.get();
  await clock.advance(1e9);
  assert.is((await credentials.get()).accessKeyId, 'key1');
});

test('replaces invalidated credentials once for all callers', async () => {
  const { credentials, key, fetched } = scripted([60]);
  const used = await credentials.get();
  credentials.invalidate(used);
  credentials.invalidate(used);
  assert.is(await key(), 'key2');
  credentials.invalidate(used);
  assert.is(await key(), 'key2');
  assert.is(fetched(), 2);
});

test('an abort rejects one caller, and the request continues for the others', async () => {
  const { credentials, key } = scripted([60]);
  const stop = new AbortController();
  const aborted = rejects(credentials.get(stop.signal));
  const other = key();
  stop.abort('stop');
  assert.is(await aborted, 'stop');
  assert.is(await other, 'key1');
});

test('passes on an error that is not a Problem', async () => {
  const bug = new TypeError('a bug');
  const fetch = async (): Promise<never> => {
    throw bug;
  };
  const credentials = createCredentialCache({ name: 'broken', fetch }, fakeClock(), recordingLog([]));
  assert.is(await rejects(credentials.get()), bug);
});

test('keys in which bytes were replaced cannot sign', () => {
  const keys = { accessKeyId: 'AKID', secretAccessKey: 'key', sessionToken: 'token' };
  assert.ok(areUsable(keys));
  assert.not(areUsable({ ...keys, secretAccessKey: 'k\ufffdy' }));
  assert.not(areUsable({ ...keys, sessionToken: 't\ufffd' }));
  assert.not(areUsable({ ...keys, secretAccessKey: '' }));
});

test.run();
