import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { call } from '../../src/aws/client.ts';
import {
  type AwsCredentials,
  type Credentials,
  createCredentialCache,
} from '../../src/aws/credential-cache.ts';
import { Problem } from '../../src/core/problem.ts';
import { fakeClock } from '../support/clock.ts';
import { rejects } from '../support/rejects.ts';
import { recordingLog } from './world.ts';

const test = suite('API calls');

const clock = fakeClock();
const forever = new Promise<never>(() => {});
const never = new AbortController().signal;

function credentialsOf(fetch: () => Promise<AwsCredentials>): Credentials {
  return createCredentialCache({ name: 'the source', fetch }, clock, recordingLog([]));
}

const good = () => credentialsOf(async () => ({ accessKeyId: 'key', secretAccessKey: 'secret' }));
const expired = () =>
  Promise.reject(
    Object.assign(new Error('expired'), { name: 'ExpiredTokenException', $fault: 'client', $metadata: {} }),
  );

test('returns the output', async () => {
  assert.equal(await call(async () => 7, good(), { clock }, never), { kind: 'output', output: 7 });
});

test('sends nothing without credentials', async () => {
  const problem = new Problem({ code: 'credentials.agent', subject: 's', message: 'm', remedy: 'r' });
  const credentials = credentialsOf(() => Promise.reject(problem));
  const result = await call(() => assert.unreachable() as never, credentials, { clock }, never);
  assert.equal(result, { kind: 'credentials', problem });
});

test('renews expired credentials and repeats the call once only', async () => {
  const sent: string[] = [];
  let fetched = 0;
  const credentials = credentialsOf(async () => ({ accessKeyId: `key${++fetched}`, secretAccessKey: 's' }));
  const result = await call(
    async () => {
      sent.push((await credentials.get()).accessKeyId);
      return await expired();
    },
    credentials,
    { clock },
    never,
  );
  assert.is(result.kind, 'failure');
  assert.equal(sent, ['key1', 'key2']);
});

test('an abort rejects with its reason, while waiting for credentials and for a response', async () => {
  for (const [credentials, send] of [
    [credentialsOf(() => forever), async () => 7],
    [good(), () => forever],
  ] as const) {
    const stop = new AbortController();
    const waiting = rejects(call<unknown>(send, credentials, { clock }, stop.signal));
    await clock.settle();
    stop.abort('stop');
    assert.is(await waiting, 'stop');
  }
});

test('throws an internal error without its message, which may quote a response', async () => {
  const broken = () => Promise.reject(new TypeError('cannot read canary of undefined'));
  const error = await rejects(call(broken, good(), { clock }, never));
  assert.is((error as Error).message, 'TypeError in a call to AWS');
  assert.not.match(inspect(error, { showHidden: true }), /canary/);
});

test.run();
