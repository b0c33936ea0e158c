import { getEventListeners } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { secretRef } from '../../src/config/secret-ref.ts';
import { rejects } from '../support/rejects.ts';
import { until } from '../support/wait.ts';
import {
  openWorld,
  outcomeText,
  parameter,
  problemsIn,
  REGION,
  realClock,
  secret,
  type World,
} from './world.ts';

const test = suite('secret source');

const opened: World[] = [];
const open: typeof openWorld = async (options) => {
  const world = await openWorld(options);
  opened.push(world);
  return world;
};
test.after(async () => {
  await Promise.all(opened.map((world) => world.close()));
});

const named = <V>(count: number, prefix: string, value: (at: number) => V): Record<string, V> =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`${prefix}${at}`, value(at)]));
const secretsOf = (count: number) => ({
  regions: { [REGION]: { secrets: named(count, 's', (at) => `v${at}`) } },
});
const numbered = (count: number) => Array.from({ length: count }, (_, at) => secret(`s${at}`));

test('fetches values of both services, by name, ARN, version, stage and label', async () => {
  const id = '11111111-1111-4111-8111-111111111111';
  const { aws, read } = await open({
    seed: {
      regions: {
        [REGION]: {
          secrets: {
            'db/password': 'hunter2',
            'key/store': { binary: 'AAEC' },
            rotated: { versions: [{ id, string: 'old' }, { string: 'new' }] },
          },
          parameters: {
            '/app/token': 's3cret',
            '/app/key': {
              versions: [
                { value: 'one', labels: ['blue'] },
                { value: 'two', labels: ['green'] },
              ],
            },
          },
        },
      },
    },
  });
  const { arn } = aws.putSecret({ region: REGION, name: 'by-arn', string: 'arned' });
  const { arn: parameterArn } = aws.putParameter({ region: REGION, name: '/by/arn', value: 'arned too' });
  const values = await read(
    secret('db/password'),
    secret('key/store'),
    secret(arn),
    secret(arn.slice(0, -7)),
    secret('rotated', { version: id }),
    secret('rotated', { stage: 'AWSPREVIOUS' }),
    secret('rotated'),
    parameter('/app/token'),
    parameter('/app/key', { version: '1' }),
    parameter('/app/key', { stage: 'green' }),
    parameter('/app/key'),
    parameter(parameterArn),
  );
  assert.equal(
    values.map((text) => text.split(' ').slice(0, -1).join(' ')),
    [
      'found hunter2',
      'found \u0000\u0001\u0002',
      'found arned',
      'found arned',
      'found old',
      'found old',
      'found new',
      'found s3cret',
      'found one',
      'found two',
      'found two',
      'found arned too',
    ],
  );
  assert.is(values[4]?.split(' ')[2], id);
  assert.is(values[8]?.split(' ')[2], '1');
});

test('sends no request for an empty list, not even for credentials', async () => {
  const { aws, read } = await open();
  assert.equal(await read(), []);
  assert.is(aws.count(), 0);
});

test('requests ten parameters per call, and twenty secrets per call of a large config', async () => {
  const { aws, read } = await open({
    seed: {
      regions: {
        [REGION]: {
          secrets: named(45, 's', (at) => `v${at}`),
          parameters: named(21, '/p', (at) => `w${at}`),
        },
      },
    },
  });
  const parameters = Array.from({ length: 21 }, (_, at) => parameter(`/p${at}`));
  const texts = await read(...numbered(45), ...parameters);
  assert.equal(
    texts.map((text) => text.split(' ')[1]),
    [...numbered(45).map((_, at) => `v${at}`), ...parameters.map((_, at) => `w${at}`)],
  );
  assert.is(aws.count({ operation: 'BatchGetSecretValue' }), 3);
  assert.is(aws.count({ operation: 'GetSecretValue' }), 0);
  assert.equal(
    aws
      .calls({ operation: 'GetParameters' })
      .map((call) => call.ids.length)
      .sort((a, b) => a - b),
    [1, 10, 10],
  );
});

test('authenticates once for a hundred refs, with at most sixteen requests in flight', async () => {
  const { aws, read } = await open({ seed: secretsOf(100), fetch: 'single' });
  aws.addFault({ on: { service: 'secretsmanager' }, does: { kind: 'latency', ms: 20 } });
  const texts = await read(...numbered(100));
  assert.ok(texts.every((text) => text.startsWith('found ')));
  assert.is(aws.count({ service: 'agent' }), 1);
  assert.is(aws.count({ operation: 'GetSecretValue' }), 100);
  // A connection serves one request at a time.
  const connections = new Set(aws.calls({ operation: 'GetSecretValue' }).map((call) => call.connection));
  assert.is(connections.size, 16);
});

test('begins at most sixteen calls of a region at a time, so that the others hold no memory', async () => {
  const { aws, source } = await open({ seed: secretsOf(300), fetch: 'single' });
  aws.addFault({ on: { service: 'secretsmanager' }, does: { kind: 'hang' } });
  const stop = new AbortController();
  const fetching = rejects(source.read(numbered(300), stop.signal));
  await until('sixteen calls', () => aws.count({ operation: 'GetSecretValue' }) === 16);
  // Each call in work listens to it.
  const listeners = getEventListeners(stop.signal, 'abort').length;
  assert.ok(listeners > 0 && listeners < 100, `${listeners} listeners`);
  stop.abort();
  await fetching;
});

test('fetches both regions in one sync', async () => {
  const { aws, read } = await open({
    seed: { regions: { [REGION]: { secrets: { a: 'here' } }, 'us-east-1': { secrets: { a: 'there' } } } },
  });
  const there = secretRef({ service: 'secretsmanager', region: 'us-east-1', id: 'a' });
  const texts = await read(secret('a'), there);
  assert.equal(
    texts.map((text) => text.split(' ')[1]),
    ['here', 'there'],
  );
  assert.is(aws.count({ service: 'agent' }), 1);
});

test('a failure of one ref does not affect the others', async () => {
  const { read } = await open({
    seed: {
      regions: {
        [REGION]: { secrets: { a: 'x', gone: { string: 'x', deleted: true } }, parameters: { '/p': 'y' } },
      },
    },
    identity: { deny: [{ action: 'secretsmanager:*', resource: 'forbidden' }] },
  });
  const texts = await read(
    secret('a'),
    secret('missing'),
    secret('gone'),
    secret('forbidden'),
    secret('a', { stage: 'NOPE' }),
    parameter('/p'),
    parameter('/missing'),
    parameter('/p', { version: '9' }),
  );
  const code = (text: string | undefined) => /\[([\w.]+)\]$/.exec(text ?? '')?.[1] ?? text?.slice(0, 7);
  assert.equal(texts.map(code), [
    'found x',
    'fetch.notFound',
    'fetch.notFound',
    'fetch.denied',
    'fetch.notFound',
    'found y',
    'fetch.notFound',
    'fetch.notFound',
  ]);
  assert.match(texts[2] ?? '', /scheduled for deletion/);
  assert.match(texts[3] ?? '', /assumed-role\/app\/.* Allow secretsmanager:GetSecretValue on .*forbidden/);
});

test('a forbidden parameter does not fail the other nine of its call', async () => {
  const { aws, read } = await open({
    seed: { regions: { [REGION]: { parameters: named(10, '/p', (at) => `v${at}`) } } },
    identity: { deny: [{ action: 'ssm:GetParameters', resource: '/p3' }] },
  });
  const texts = await read(...Array.from({ length: 10 }, (_, at) => parameter(`/p${at}`)));
  assert.is(texts.filter((text) => text.startsWith('found ')).length, 9);
  assert.match(texts[3] ?? '', /Allow ssm:GetParameters on .*p3.*\[fetch\.denied\]$/);
  assert.is(aws.count({ operation: 'GetParameters' }), 11);
});

test('a denied KMS key is reported as kms:Decrypt', async () => {
  const { read } = await open({
    seed: { regions: { [REGION]: { secrets: { a: 'x' }, parameters: { '/p': 'y' } } } },
    identity: { deny: [{ action: 'kms:Decrypt' }] },
  });
  for (const text of await read(secret('a'), parameter('/p')))
    assert.match(text, /Allow kms:Decrypt on .*\[fetch\.denied\]$/);
});

test('a denied batch is replaced by single calls, logged once, and not retried', async () => {
  const { aws, read, logged } = await open({
    seed: secretsOf(30),
    identity: { deny: [{ action: 'secretsmanager:BatchGetSecretValue' }] },
  });
  for (const pass of [1, 2]) {
    const texts = await read(...numbered(30));
    assert.ok(
      texts.every((text) => text.startsWith('found ')),
      `pass ${pass}`,
    );
  }
  // Both batches of the first sync were in flight when the first one was denied.
  assert.is(aws.count({ operation: 'BatchGetSecretValue' }), 2);
  assert.is(aws.count({ operation: 'GetSecretValue' }), 60);
  assert.equal(logged, [
    'info fetch.batchDisabled action=secretsmanager:BatchGetSecretValue awsCode=AccessDeniedException: secrets are fetched one by one: the role may not call secretsmanager:BatchGetSecretValue, which saves API calls; retried in an hour',
  ]);
});

test('a denied batch is retried after an hour', async () => {
  let skipped = 0;
  const clock = { ...realClock, elapsed: () => realClock.elapsed() + skipped };
  const { aws, read } = await open({
    clock,
    seed: secretsOf(10),
    identity: { deny: [{ action: 'secretsmanager:BatchGetSecretValue' }] },
  });
  await read(...numbered(10));
  skipped = 3_500_000;
  await read(...numbered(10));
  assert.is(aws.count({ operation: 'BatchGetSecretValue' }), 1);
  skipped = 3_700_000;
  await read(...numbered(10));
  assert.is(aws.count({ operation: 'BatchGetSecretValue' }), 2);
});

test('a throttled batch is replaced by single calls, and retried in the next sync', async () => {
  const { aws, read, logged } = await open({ seed: secretsOf(10) });
  aws.addFault({ on: { operation: 'BatchGetSecretValue' }, does: { kind: 'throttle' } });
  assert.ok((await read(...numbered(10))).every((text) => text.startsWith('found ')));
  await read(...numbered(10));
  assert.is(aws.count({ operation: 'BatchGetSecretValue' }), 6);
  assert.equal(logged, []);
});

for (const [what, does] of Object.entries({
  'an operation that is unknown': { kind: 'error', code: 'UnknownOperationException' },
  'status 501': { kind: 'server-error', status: 501, body: 'html' },
  'a page that is not found': { kind: 'server-error', status: 404, body: 'html' },
  'a method that is not allowed': { kind: 'server-error', status: 405, body: 'empty' },
} as const)) {
  test(`an endpoint without batches (${what}) gets single calls, without a retry`, async () => {
    const { aws, read, logged } = await open({ seed: secretsOf(10) });
    aws.addFault({ on: { operation: 'BatchGetSecretValue' }, does });
    for (const pass of [1, 2])
      assert.ok(
        (await read(...numbered(10))).every((text) => text.startsWith('found ')),
        `pass ${pass}`,
      );
    assert.is(aws.count({ operation: 'BatchGetSecretValue' }), 1);
    assert.is(logged.length, 1);
    assert.match(logged[0] ?? '', /the endpoint does not have secretsmanager:BatchGetSecretValue$/);
  });
}

test('a response with 501 names host and port', async () => {
  const { aws, read } = await open({ seed: secretsOf(1) });
  aws.addFault({
    on: { operation: 'GetSecretValue' },
    does: { kind: 'server-error', status: 501, body: 'html' },
  });
  const [text = ''] = await read(...numbered(1));
  assert.match(text, /HTTP status 501/);
  assert.match(text, `Check what responds at ${new URL(aws.url).host}: `);
});

for (const [what, does, attempts] of [
  ['is broken', { kind: 'server-error' }, 3],
  ['cannot be understood', { kind: 'garbage', shape: 'not-json' }, 1],
] as const) {
  test(`a batch that ${what} is replaced by single calls, and retried in the next sync`, async () => {
    const { aws, read, logged } = await open({ seed: secretsOf(10) });
    aws.addFault({ on: { operation: 'BatchGetSecretValue' }, times: attempts, does });
    assert.ok((await read(...numbered(10))).every((text) => text.startsWith('found ')));
    await read(...numbered(10));
    assert.is(aws.count({ operation: 'BatchGetSecretValue' }), attempts + 1);
    assert.is(aws.count({ operation: 'GetSecretValue' }), 10);
    assert.equal(logged, []);
  });
}

test('sends no single calls after a network error of a batch', async () => {
  const { aws, read } = await open({ seed: secretsOf(10) });
  aws.addFault({ on: { service: 'secretsmanager' }, does: { kind: 'cut', at: 'before-headers' } });
  for (const text of await read(...numbered(10))) assert.match(text, /\[fetch\.network\]$/);
  assert.is(aws.count({ operation: 'GetSecretValue' }), 0);
});

test('--fetch batch fails with the missing permission instead of single calls', async () => {
  const { aws, read, logged } = await open({
    seed: secretsOf(2),
    fetch: 'batch',
    identity: { deny: [{ action: 'secretsmanager:BatchGetSecretValue' }] },
  });
  for (const text of await read(...numbered(2)))
    assert.match(
      text,
      /Allow secretsmanager:BatchGetSecretValue on \* in the role's policy.*\[fetch\.denied\]$/,
    );
  assert.is(aws.count({ operation: 'GetSecretValue' }), 0);
  assert.equal(logged, []);
});

test("a batch returns each secret's own failure", async () => {
  const { aws, read } = await open({ seed: secretsOf(3), fetch: 'batch' });
  aws.addFault({
    on: { operation: 'BatchGetSecretValue', id: 's1' },
    does: { kind: 'batch-error', code: 'AccessDeniedException', message: 'Access to KMS is not allowed' },
  });
  const texts = await read(...numbered(3), secret('missing'));
  assert.equal(
    texts.map((text) => text.split(' ')[0]),
    ['found', 's1:', 'found', 'missing:'],
  );
  assert.match(texts[1] ?? '', /kms:Decrypt.*\[fetch\.denied\]$/);
  assert.match(texts[3] ?? '', /\[fetch\.notFound\]$/);
  assert.is(aws.count({ operation: 'GetSecretValue' }), 0);
});

test('fetches secrets that a batch response lacks by single calls', async () => {
  const { aws, read } = await open({ seed: secretsOf(3), fetch: 'batch' });
  aws.addFault({ on: { operation: 'BatchGetSecretValue', id: 's1' }, does: { kind: 'absent' } });
  assert.ok((await read(...numbered(3))).every((text) => text.startsWith('found ')));
  assert.equal(
    aws.calls({ operation: 'GetSecretValue' }).map((call) => call.ids),
    [['s1']],
  );
});

test('a parameter that the response lacks is a Problem', async () => {
  const { aws, read } = await open({
    seed: { regions: { [REGION]: { parameters: { '/a': 'x', '/b': 'y' } } } },
  });
  aws.addFault({ on: { id: '/b' }, does: { kind: 'absent' } });
  const texts = await read(parameter('/a'), parameter('/b'));
  assert.match(texts[0] ?? '', /^found x/);
  assert.match(texts[1] ?? '', /has no value for this object.*\[fetch\.response\]$/);
});

test('replaces credentials that AWS rejects as expired once, and repeats the calls', async () => {
  const { aws, read } = await open({ seed: secretsOf(5) });
  await read(...numbered(5));
  aws.expireCredentials();
  assert.ok((await read(...numbered(5))).every((text) => text.startsWith('found ')));
  assert.is(aws.count({ service: 'agent' }), 2);
  aws.addFault({ on: { service: 'secretsmanager' }, does: { kind: 'expired' } });
  for (const text of await read(...numbered(5)))
    assert.match(text, /rejected the credentials.*\[credentials\.expired\]$/);
  assert.is(aws.count({ service: 'agent' }), 3);
});

test('without credentials all refs share one Problem', async () => {
  const { aws, source } = await open({ seed: secretsOf(30) });
  aws.addFault({
    on: { service: 'agent' },
    does: { kind: 'error', code: 'ResourceNotFoundException', status: 404 },
  });
  const outcomes = await source.read([...numbered(30), parameter('/p')], new AbortController().signal);
  const problems = problemsIn(outcomes);
  assert.is(problems.length, 31);
  assert.is(new Set(problems).size, 1);
  assert.is(problems[0]?.code, 'credentials.agent');
  assert.is(aws.count(), 1);
});

test('counts every attempt with its result', async () => {
  const { aws, read, counted } = await open({ seed: secretsOf(1) });
  aws.addFault({ on: { service: 'secretsmanager' }, times: 2, does: { kind: 'server-error' } });
  await read(secret('s0'), secret('missing'));
  assert.equal(counted.sort(), [
    'secretsmanager GetSecretValue eu-west-1 client',
    'secretsmanager GetSecretValue eu-west-1 server',
    'secretsmanager GetSecretValue eu-west-1 server',
    'secretsmanager GetSecretValue eu-west-1 success',
  ]);
});

test('honors Retry-After between attempts, and reports it after the last', async () => {
  const { aws, source } = await open({ seed: secretsOf(1) });
  aws.addFault({ on: { service: 'secretsmanager' }, does: { kind: 'server-error', retryAfter: 1 } });
  const start = performance.now();
  const outcomes = await source.read([secret('s0')], new AbortController().signal);
  // Two pauses of at least one second each between three attempts, by a clock of whole milliseconds.
  assert.ok(performance.now() - start >= 1990);
  assert.is(problemsIn(outcomes)[0]?.retryAfter, 1000);
  assert.is(aws.count({ service: 'secretsmanager' }), 3);
});

test("corrects clock skew by AWS's Date header", async () => {
  const { aws, read } = await open({ seed: secretsOf(1) });
  await read(secret('s0'));
  aws.advanceClock({ ms: 3_600_000 });
  assert.match((await read(secret('s0')))[0] ?? '', /^found/);
});

test('an abort ends the fetch at once with its reason, and no request is left', async () => {
  const { aws, source } = await open({ seed: secretsOf(40), fetch: 'single' });
  aws.addFault({ on: { service: 'secretsmanager' }, does: { kind: 'hang' } });
  const stop = new AbortController();
  const reading = rejects(source.read(numbered(40), stop.signal));
  await until('16 calls', () => aws.count({ service: 'secretsmanager' }) === 16);
  stop.abort(new Error('SIGTERM'));
  assert.is(await reading, stop.signal.reason);
  assert.is(await rejects(source.read(numbered(1), stop.signal)), stop.signal.reason);
  aws.clearFaults();
  const outcomes = await source.read(numbered(40), new AbortController().signal);
  assert.ok([...outcomes.values()].every((outcome) => outcomeText(outcome).startsWith('found ')));
});

test('an invalid region fails only its own refs', async () => {
  const { read } = await open({ seed: secretsOf(1) });
  const [good, bad] = await read(
    secret('s0'),
    secretRef({ service: 'secretsmanager', region: 'not a region', id: 's0' }),
  );
  assert.match(good ?? '', /^found/);
  assert.match(bad ?? '', /expected a region such as eu-west-1, got "not a region".*\[config\.region\]$/);
});

test.run();
