import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type AwsRequest, batchReads } from '../../src/aws/batches.ts';
import type { FetchMode } from '../../src/cli/options.ts';
import { type SecretRef, secretRef } from '../../src/config/secret-ref.ts';

const test = suite('batches');

const secret = (id: string, more: Partial<SecretRef> = {}): SecretRef =>
  secretRef({ service: 'secretsmanager', region: 'eu-west-1', id, ...more });
const parameter = (id: string, more: Partial<SecretRef> = {}): SecretRef =>
  secretRef({ service: 'ssmparameter', region: 'eu-west-1', id, ...more });
const many = (count: number, make: (id: string) => SecretRef): SecretRef[] =>
  Array.from({ length: count }, (_, at) => make(`n${at}`));
const reads = (request: AwsRequest): readonly SecretRef[] =>
  'read' in request ? [request.read] : request.reads;
const shape = (requests: readonly AwsRequest[]): string[] =>
  requests.map((request) => `${request.kind} ${reads(request).length}`);
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
      shape(batchReads(many(count, parameter), 'auto')),
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
    assert.equal(shape(batchReads(many(count, secret), mode)), calls);
  });
}

test('a read that is given twice is asked for once', () => {
  assert.equal(shape(batchReads([secret('a'), secret('a'), parameter('/a'), parameter('/a')], 'auto')), [
    'GetParameters 1',
    'GetSecretValue 1',
  ]);
});

test('a pinned version or stage never rides in a batch', () => {
  const pinned = [secret('a', { version: 'v' }), secret('b', { stage: 'AWSPREVIOUS' })];
  assert.equal(shape(batchReads([...pinned, ...many(2, secret)], 'batch')), [
    ...singles(2),
    'BatchGetSecretValue 2',
  ]);
});

test('auto counts only what a batch could hold', () => {
  const pinned = many(10, (id) => secret(id, { version: 'v' }));
  assert.equal(shape(batchReads([...pinned, secret('a')], 'auto')), singles(11));
});

test('two selectors of one parameter go into different calls, by name or by ARN', () => {
  const arn = 'arn:aws:ssm:eu-west-1:111122223333:parameter/a';
  const requests = batchReads(
    [
      parameter('/a', { stage: 'old' }),
      parameter('/a', { stage: 'new' }),
      parameter(arn, { version: '1' }),
      parameter('/b'),
    ],
    'auto',
  );
  assert.equal(
    requests.map((request) => reads(request).map((read) => read.id)),
    [['/a', '/b'], ['/a'], [arn]],
  );
});

test('regions do not share calls', () => {
  const there = secretRef({ service: 'ssmparameter', region: 'us-east-1', id: '/a' });
  assert.equal(
    batchReads([parameter('/a'), there], 'auto').map((request) => request.region),
    ['eu-west-1', 'us-east-1'],
  );
});

test.run();
