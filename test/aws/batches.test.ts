import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type AwsRequest,
  entryIds,
  matchParameter,
  matchSecret,
  requestsFor,
} from '../../src/aws/batches.ts';
import type { FetchMode } from '../../src/cli/options.ts';
import { type SecretRef, secretRef } from '../../src/config/secret-ref.ts';

const test = suite('batches');

const secret = (id: string, more: Partial<SecretRef> = {}): SecretRef =>
  secretRef({ service: 'secretsmanager', region: 'eu-west-1', id, ...more });
const parameter = (id: string, more: Partial<SecretRef> = {}): SecretRef =>
  secretRef({ service: 'ssmparameter', region: 'eu-west-1', id, ...more });
const many = (count: number, make: (id: string) => SecretRef): SecretRef[] =>
  Array.from({ length: count }, (_, at) => make(`n${at}`));
const refs = (request: AwsRequest): readonly SecretRef[] => ('ref' in request ? [request.ref] : request.refs);
const shape = (requests: readonly AwsRequest[]): string[] =>
  requests.map((request) => `${request.kind} ${refs(request).length}`);
const singles = (count: number): string[] => Array.from({ length: count }, () => 'GetSecretValue 1');

for (const [count, calls] of [
  [0, []],
  [1, [1]],
  [10, [10]],
  [11, [10, 1]],
  [20, [10, 10]],
  [21, [10, 10, 1]],
  [45, [10, 10, 10, 10, 5]],
] as const) {
  test(`${count} parameters need ${calls.length} calls`, () => {
    assert.equal(
      shape(requestsFor(many(count, parameter), 'auto')),
      calls.map((size) => `GetParameters ${size}`),
    );
  });
}

for (const [count, mode, calls] of [
  [0, 'batch', []],
  [1, 'batch', ['GetSecretValue 1']],
  [2, 'batch', ['BatchGetSecretValue 2']],
  [20, 'batch', ['BatchGetSecretValue 20']],
  [21, 'batch', ['BatchGetSecretValue 20', 'GetSecretValue 1']],
  [45, 'batch', ['BatchGetSecretValue 20', 'BatchGetSecretValue 20', 'BatchGetSecretValue 5']],
  [9, 'auto', singles(9)],
  [10, 'auto', ['BatchGetSecretValue 10']],
  [45, 'single', singles(45)],
] as const satisfies readonly (readonly [number, FetchMode, readonly string[]])[]) {
  test(`${count} secrets with --fetch ${mode} need ${calls.length} calls`, () => {
    assert.equal(shape(requestsFor(many(count, secret), mode)), calls);
  });
}

test('auto reads secrets one by one at the start, however many, and batch does not', () => {
  assert.equal(shape(requestsFor(many(45, secret), 'auto', 'start')), singles(45));
  assert.equal(shape(requestsFor(many(20, secret), 'batch', 'start')), ['BatchGetSecretValue 20']);
});

test('requests a ref only once if it is passed twice', () => {
  assert.equal(shape(requestsFor([secret('a'), secret('a'), parameter('/a'), parameter('/a')], 'auto')), [
    'GetParameters 1',
    'GetSecretValue 1',
  ]);
});

test('requests a version or stage in a single call, never in a batch', () => {
  const pinned = [secret('a', { version: 'v' }), secret('b', { stage: 'AWSPREVIOUS' })];
  assert.equal(shape(requestsFor([...pinned, ...many(2, secret)], 'batch')), [
    ...singles(2),
    'BatchGetSecretValue 2',
  ]);
});

test('auto counts only the secrets that a batch can request', () => {
  const pinned = many(10, (id) => secret(id, { version: 'v' }));
  assert.equal(shape(requestsFor([...pinned, secret('a')], 'auto')), singles(11));
});

test('requests two selectors of one parameter in different calls, by name or by ARN', () => {
  const arn = 'arn:aws:ssm:eu-west-1:111122223333:parameter/a';
  const requests = requestsFor(
    [
      parameter('/a', { stage: 'old' }),
      parameter('/a', { stage: 'new' }),
      parameter(arn, { version: '1' }),
      parameter('/b'),
    ],
    'auto',
  );
  assert.equal(
    requests.map((request) => refs(request).map((read) => read.id)),
    [['/a', '/b'], ['/a'], [arn]],
  );
});

test('requests each region in its own calls', () => {
  const there = secretRef({ service: 'ssmparameter', region: 'us-east-1', id: '/a' });
  assert.equal(
    requestsFor([parameter('/a'), there], 'auto').map((request) => request.region),
    ['eu-west-1', 'us-east-1'],
  );
});

type Entry = ReturnType<typeof entryIds>;
const entries = (...list: Partial<Entry>[]): Entry[] =>
  list.map(({ name, arn, selector }) => entryIds(name, arn, selector));

const ARN = 'arn:aws:ssm:eu-west-1:111122223333:parameter/a';

test('finds a parameter by name', () => {
  const found = entries({ name: '/b' }, { name: '/a', arn: ARN });
  assert.is(matchParameter(parameter('/a'), found), found[1]);
});

test('finds a parameter by ARN if it was requested by ARN', () => {
  const found = entries({ name: '/a', arn: ARN, selector: ':3' });
  assert.is(matchParameter(parameter(ARN, { version: '3' }), found), found[0]);
});

test('requires the requested selector, with or without its colon', () => {
  const found = entries({ name: '/a', selector: ':old' }, { name: '/a', selector: 'new' });
  assert.is(matchParameter(parameter('/a', { stage: 'new' }), found), found[1]);
  assert.is(matchParameter(parameter('/a', { stage: 'old' }), found), found[0]);
  assert.is(matchParameter(parameter('/a', { stage: 'other' }), found), undefined);
  assert.is(matchParameter(parameter('/a'), found), undefined);
});

test('accepts an entry without a selector', () => {
  const found = entries({ name: '/a' });
  assert.is(matchParameter(parameter('/a', { version: '2' }), found), found[0]);
});

test('does not match a name by its prefix', () => {
  assert.is(matchParameter(parameter('/a'), entries({ name: '/a/b' }, { name: '/A' })), undefined);
  assert.is(matchSecret(secret('a'), entries({ name: 'a-AbCdEf' }, { name: 'ab' })), undefined);
});

const SECRET = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:db';

test('finds a secret by name, by ARN, and by an ARN without its suffix', () => {
  const found = entries({ name: 'db', arn: `${SECRET}-AbCdEf` });
  for (const id of ['db', `${SECRET}-AbCdEf`, SECRET])
    assert.is(matchSecret(secret(id), found), found[0], id);
});

test('finds no secret by an ARN without suffix that matches two', () => {
  const found = entries({ arn: `${SECRET}-AbCdEf` }, { arn: `${SECRET}-GhIjKl` });
  assert.is(matchSecret(secret(SECRET), found), undefined);
});

test('does not match an ARN without suffix to a longer name', () => {
  assert.is(matchSecret(secret(SECRET), entries({ arn: `${SECRET}-replica-AbCdEf` })), undefined);
});

test('treats identifiers of other types as missing', () => {
  assert.equal(entryIds(7, null, {}), { name: undefined, arn: undefined, selector: undefined });
});

test('matches no ref to an entry without identifiers', () => {
  assert.is(matchSecret(secret('a'), entries({})), undefined);
  assert.is(matchParameter(parameter('/a'), entries({})), undefined);
});

test.run();
