import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type AwsCredentials, createCredentialCache } from '../../src/aws/credential-cache.ts';
import { Problem } from '../../src/core/problem.ts';
import { fakeClock } from '../support/clock.ts';
import { rejects } from '../support/rejects.ts';
import { recordingLog } from './world.ts';

const test = suite('keeping credentials');

const MINUTE = 60_000;

/** A source whose answers the test gives: a life in minutes, or a failure. */
function scripted(script: (number | 'fails')[]) {
  const clock = fakeClock();
  const logged: string[] = [];
  let asked = 0;
  const credentials = createCredentialCache(
    {
      name: 'the source',
      async ask(): Promise<AwsCredentials> {
        const answer = script[Math.min(asked, script.length - 1)];
        asked++;
        // As long as a request takes: callers who come meanwhile have to wait for it.
        await Promise.resolve();
        if (answer === 'fails' || answer === undefined) throw failure(asked);
        const expiration = new Date(clock.now() + answer * MINUTE);
        return { accessKeyId: `key${asked}`, secretAccessKey: 's', sessionToken: 't', expiration };
      },
    },
    clock,
    recordingLog(logged),
  );
  const key = async (): Promise<string> => (await credentials.get()).accessKeyId;
  return { clock, logged, credentials, key, asked: () => asked };
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

test('a hundred callers cause one request', async () => {
  const { key, asked } = scripted([60]);
  assert.equal(new Set(await Promise.all(Array.from({ length: 100 }, key))), new Set(['key1']));
  assert.is(asked(), 1);
});

test('they are renewed five minutes before they expire, not sooner', async () => {
  const { clock, key } = scripted([60]);
  await key();
  await clock.advance(55 * MINUTE - 1);
  assert.is(await key(), 'key1');
  await clock.advance(1);
  assert.is(await key(), 'key2');
});

test('when a renewal fails the old ones serve while they live, tried again every 30 s', async () => {
  const { clock, key, asked, logged } = scripted([60, 'fails']);
  await key();
  await clock.advance(55 * MINUTE);
  for (let second = 0; second < 60; second++) {
    assert.is(await key(), 'key1');
    await clock.advance(1000);
  }
  assert.is(asked(), 3);
  assert.is(logged.length, 2);
  assert.match(
    logged[0] ?? '',
    /^warn credentials\.renewal expires=2026-01-01T01:00:00\.000Z: agent: attempt 2/,
  );
  await clock.advance(4 * MINUTE);
  assert.is(((await rejects(key())) as Problem).message, 'attempt 4');
});

test('a renewal that works again is used at once', async () => {
  const { clock, key } = scripted([60, 'fails', 60]);
  await key();
  await clock.advance(55 * MINUTE);
  assert.is(await key(), 'key1');
  await clock.advance(30_000);
  assert.is(await key(), 'key3');
});

test('all who ask in one pass share one failure; the next pass asks anew', async () => {
  const { clock, key, asked } = scripted(['fails']);
  const first = await Promise.all([rejects(key()), rejects(key())]);
  const later = await rejects(key());
  assert.is(new Set([...first, later]).size, 1);
  assert.is(asked(), 1);
  await clock.advance(50);
  assert.is.not(await rejects(key()), later);
  assert.is(asked(), 2);
});

test('short-lived credentials are renewed at half their life, so that they cause no storm', async () => {
  const { clock, key, asked } = scripted([2]);
  for (let second = 0; second < 120; second++) {
    await key();
    await clock.advance(1000);
  }
  assert.is(asked(), 2);
});

test('credentials that are expired when they arrive are a problem, asked for again only after a pause', async () => {
  const { clock, key, asked } = scripted([-2]);
  const problem = (await rejects(key())) as Problem;
  assert.is(problem.code, 'credentials.expired');
  assert.match(problem.message, /expired 120 s ago/);
  assert.ok(problem.retry);
  for (let time = 0; time < 10; time++) await rejects(key());
  assert.is(asked(), 1);
  await clock.advance(50);
  await rejects(key());
  assert.is(asked(), 2);
});

test('after a suspended night they are renewed, not used', async () => {
  const { clock, key } = scripted([60]);
  await key();
  await clock.suspend(8 * 60 * MINUTE);
  assert.is(await key(), 'key2');
});

test('credentials without an expiry are kept', async () => {
  const clock = fakeClock();
  let asked = 0;
  const ask = async () => ({ accessKeyId: `key${++asked}`, secretAccessKey: 's' });
  const credentials = createCredentialCache({ name: 'static', ask }, clock, recordingLog([]));
  await credentials.get();
  await clock.advance(1e9);
  assert.is((await credentials.get()).accessKeyId, 'key1');
});

test('refused ones are replaced, once for all who had them', async () => {
  const { credentials, key, asked } = scripted([60]);
  const used = await credentials.get();
  credentials.refuse(used);
  credentials.refuse(used);
  assert.is(await key(), 'key2');
  credentials.refuse(used);
  assert.is(await key(), 'key2');
  assert.is(asked(), 2);
});

test('an abort frees the one who waits, and the request goes on for the others', async () => {
  const { credentials, key } = scripted([60]);
  const stop = new AbortController();
  const aborted = rejects(credentials.get(stop.signal));
  const other = key();
  stop.abort('stop');
  assert.is(await aborted, 'stop');
  assert.is(await other, 'key1');
});

test('what is no Problem is a bug and comes through', async () => {
  const bug = new TypeError('ours');
  const ask = async (): Promise<never> => {
    throw bug;
  };
  const credentials = createCredentialCache({ name: 'broken', ask }, fakeClock(), recordingLog([]));
  assert.is(await rejects(credentials.get()), bug);
});

test.run();
