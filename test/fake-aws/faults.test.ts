import { BatchGetSecretValueCommand, GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { GetParametersCommand } from '@aws-sdk/client-ssm';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { rejects } from '../support/rejects.ts';
import { until } from '../support/wait.ts';
import { exampleSeed, startExample } from './example.ts';
import type { Fault, GarbageShape, Misbehaviour } from './faults.ts';
import { operatorKeys, parameterStoreAt, secretsManagerAt, send, signed } from './requests.ts';

const test = suite('faults');
const waits: number[] = [];
const clock = {
  now: Date.now,
  async sleep(ms: number) {
    waits.push(ms);
  },
};
const aws = await startExample({ clock });
const client = secretsManagerAt(aws.url);

test.before.each(() => {
  aws.reset();
  waits.length = 0;
});
test.after(() => aws.close());

const get = (SecretId = 'db/password', as = client) => as.send(new GetSecretValueCommand({ SecretId }));
const outcome = async (promise: Promise<unknown>) => {
  try {
    await promise;
    return 'good';
  } catch (error) {
    return (error as Error).name;
  }
};
/** What arrives when this goes wrong, read without the SDK. */
async function raw(does: Misbehaviour, operation = 'GetSecretValue', body = '{"SecretId":"db/password"}') {
  aws.addFault({ times: 1, does });
  const headers = { 'x-amz-target': `secretsmanager.${operation}` };
  return send(aws.url, 'POST', signed(aws.url, { service: 'secretsmanager', headers, body }), body);
}
test('latency delays the response; several add up, also with another fault', async () => {
  aws.addFault({ does: { kind: 'latency', ms: 30 } });
  aws.addFault({ times: 1, does: { kind: 'throttle' } });
  aws.addFault({ on: { operation: 'GetSecretValue' }, times: 1, does: { kind: 'latency', ms: 12 } });
  assert.is(await outcome(get()), 'ThrottlingException');
  assert.is(await outcome(get()), 'good');
  assert.equal(waits, [42, 30]);
  assert.equal(
    aws.calls().map(({ fault }) => fault),
    ['throttle', 'latency'],
  );
});

test('throttles with 400 or 429, and with Retry-After if configured', async () => {
  const plain = await raw({ kind: 'throttle' });
  assert.equal(
    [plain.status, JSON.parse(plain.body)],
    [400, { __type: 'ThrottlingException', Message: 'Rate exceeded' }],
  );
  assert.is(plain.headers['retry-after'], undefined);
  const other = await raw({ kind: 'throttle', status: 429, retryAfter: 7 });
  assert.equal([other.status, other.headers['retry-after']], [429, '7']);
});

test('the SDK retries after a failure', async () => {
  aws.addFault({ times: 1, does: { kind: 'server-error', body: 'html' } });
  const patient = secretsManagerAt(aws.url, operatorKeys, 'eu-west-1', 2);
  assert.is((await get('db/password', patient)).SecretString, 'hunter2');
  assert.equal(
    aws.calls().map(({ status }) => status),
    [500, 200],
  );
});

test('a failing server responds with an error, a page or an empty body', async () => {
  const error = await raw({ kind: 'server-error' });
  assert.equal([error.status, JSON.parse(error.body).__type], [500, 'InternalServiceError']);
  const page = await raw({ kind: 'server-error', status: 502, body: 'html' });
  assert.equal([page.status, page.headers['content-type']], [502, 'text/html']);
  assert.match(page.body, '<h1>502</h1>');
  const nothing = await raw({ kind: 'server-error', status: 503, body: 'empty', retryAfter: 1 });
  assert.equal([nothing.status, nothing.body, nothing.headers['retry-after']], [503, '', '1']);
});

test('returns any configured error', async () => {
  aws.addFault({ does: { kind: 'error', code: 'DecryptionFailure', message: 'so', status: 400 } });
  const error = (await rejects(get())) as Error;
  assert.equal([error.name, error.message], ['DecryptionFailure', 'so']);
  assert.is(aws.count({ code: 'DecryptionFailure', status: 400 }), 1);
});

test('accepts a hanging call and never responds', async () => {
  aws.addFault({ times: 1, does: { kind: 'hang' } });
  const stop = new AbortController();
  const hanging = outcome(
    client.send(new GetSecretValueCommand({ SecretId: 'db/password' }), { abortSignal: stop.signal }),
  );
  await until('a call', () => aws.count() === 1);
  assert.is((await get()).SecretString, 'hunter2');
  assert.equal(
    aws.calls().map(({ status, fault }) => [status, fault]),
    [
      [0, 'hang'],
      [200, undefined],
    ],
  );
  stop.abort();
  assert.is(await hanging, 'AbortError');
});

test('closes a connection before the headers or during the body', async () => {
  for (const at of ['before-headers', 'mid-body'] as const) {
    aws.addFault({ times: 1, does: { kind: 'cut', at } });
    assert.is.not(await outcome(get()), 'good');
    assert.is(aws.calls().at(-1)?.status, 0);
  }
  assert.is(await outcome(get()), 'good');
  const [first, second, third] = aws.calls().map(({ connection }) => connection);
  assert.is(new Set([first, second, third]).size, 3);
});

test('garbage contains the value, which a careless message would quote', async () => {
  const garbage = async (shape: GarbageShape) => (await raw({ kind: 'garbage', shape, bytes: 1000 })).body;
  assert.match(await garbage('not-json'), /^hunter2\n\{"ARN"/);
  const half = await garbage('truncated');
  assert.match(half, /^\{"ARN":/);
  assert.not.match(half, /\}$/);
  const empty = JSON.parse(await garbage('no-value'));
  assert.equal([empty.Name, empty.SecretString], ['db/password', undefined]);
  assert.is(JSON.parse(await garbage('numbers')).SecretString, 7);
  assert.is(await garbage('null'), 'null');
  assert.is(JSON.parse(await garbage('list'))[0].SecretString, 'hunter2');
  assert.is(await garbage('empty'), '');
  assert.is(JSON.parse(await garbage('huge')).SecretString.length, 1000);
});

test('the SDK fails on text that is not JSON', async () => {
  aws.addFault({ does: { kind: 'garbage', shape: 'not-json' } });
  assert.is(await outcome(get()), 'SyntaxError');
});

test('rejects credentials as expired for one call', async () => {
  aws.addFault({ times: 1, does: { kind: 'expired' } });
  assert.is(await outcome(get()), 'ExpiredTokenException');
  assert.is(await outcome(get()), 'good');
});

test('a batch can report an error for one id and values for others', async () => {
  const SecretIdList = ['db/password', 'db/login', 'api/key'];
  const does = { kind: 'batch-error', code: 'InternalServiceError', message: 'later' } as const;
  aws.addFault({ on: { operation: 'BatchGetSecretValue', id: 'db/login' }, times: 1, does });
  const { SecretValues, Errors } = await client.send(new BatchGetSecretValueCommand({ SecretIdList }));
  assert.equal(
    SecretValues?.map(({ Name }) => Name),
    ['db/password', 'api/key'],
  );
  assert.equal(Errors, [{ SecretId: 'db/login', ErrorCode: 'InternalServiceError', Message: 'later' }]);
});

test('a batch can omit an id', async () => {
  aws.addFault({ on: { id: '/app/key' }, does: { kind: 'absent' } });
  aws.addFault({ on: { service: 'secretsmanager' }, does: { kind: 'absent' } });
  const ssm = parameterStoreAt(aws.url);
  const some = await ssm.send(new GetParametersCommand({ Names: ['/app/url', '/app/key:1'] }));
  assert.equal([some.Parameters?.map(({ Name }) => Name), some.InvalidParameters], [['/app/url'], []]);
  const none = await ssm.send(new GetParametersCommand({ Names: ['/app/key'] }));
  assert.equal([none.Parameters, none.InvalidParameters], [[], []]);
  const batch = await client.send(new BatchGetSecretValueCommand({ SecretIdList: ['db/password', 'nope'] }));
  assert.equal([batch.SecretValues, batch.Errors?.map(({ SecretId }) => SecretId)], [[], ['nope']]);
});

test('a fault affects only the calls that it names', async () => {
  const on = {
    service: 'secretsmanager',
    operation: 'GetSecretValue',
    region: 'us-east-1',
    id: 'db/password',
  } as const;
  aws.addFault({ on, does: { kind: 'throttle' } });
  const there = secretsManagerAt(aws.url, operatorKeys, 'us-east-1');
  assert.is(await outcome(get()), 'good');
  assert.is(await outcome(get('db/login', there)), 'ResourceNotFoundException');
  assert.is(await outcome(get('db/password', there)), 'ThrottlingException');
  const batch = new BatchGetSecretValueCommand({ SecretIdList: ['db/password'] });
  assert.is(await outcome(there.send(batch)), 'good');
});

test('a fault is limited to a number of calls after a number of calls', async () => {
  aws.addFault({ after: 1, times: 2, does: { kind: 'throttle' } });
  const outcomes = [];
  for (let call = 0; call < 5; call++) outcomes.push(await outcome(get()));
  const bad = 'ThrottlingException';
  assert.equal(outcomes, ['good', bad, bad, 'good', 'good']);
  assert.equal(aws.faults(), []);
});

test('random faults are the same in every run', async () => {
  const fault: Fault = { chance: 0.5, does: { kind: 'throttle' } };
  const run = async () => {
    aws.load({ ...exampleSeed, chance: 42, faults: [fault] });
    const outcomes = [];
    for (let call = 0; call < 20; call++) outcomes.push(await outcome(get()));
    return outcomes;
  };
  const first = await run();
  assert.equal(await run(), first);
  const good = first.filter((one) => one === 'good').length;
  assert.ok(good > 4 && good < 16, `${good} of 20 were good`);
});

test('lists, removes and clears faults', async () => {
  const first = aws.addFault({ does: { kind: 'throttle' } });
  const second = aws.addFault({ does: { kind: 'hang' } });
  assert.equal(
    aws.faults().map(({ number, does }) => [number, does.kind]),
    [
      [first, 'throttle'],
      [second, 'hang'],
    ],
  );
  aws.removeFault({ number: second });
  assert.is(await outcome(get()), 'ThrottlingException');
  aws.clearFaults();
  assert.is(await outcome(get()), 'good');
});

test('checks the signature before it applies a fault', async () => {
  aws.addFault({ does: { kind: 'throttle' } });
  const keys = { ...operatorKeys, secretAccessKey: 'x' };
  assert.is(await outcome(get('db/password', secretsManagerAt(aws.url, keys))), 'InvalidSignatureException');
});

test('closing ends hanging calls too', async () => {
  const other = await startExample();
  other.addFault({ does: { kind: 'hang' } });
  const hanging = outcome(get('db/password', secretsManagerAt(other.url)));
  await until('a call', () => other.count() === 1);
  await other.close();
  assert.is.not(await hanging, 'good');
});

test.run();
