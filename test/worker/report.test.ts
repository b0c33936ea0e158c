import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Problem } from '../../src/core/problem.ts';
import { createProblemReader, problemMessage } from '../../src/core/problem-fields.ts';
import { readMessage } from '../../src/worker/report.ts';

const overPipe = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('a message arrives as it was sent', () => {
  const message = {
    kind: 'apiCall',
    service: 'ssm',
    operation: 'GetParameters',
    region: 'r',
    result: 'success',
  };
  assert.equal(readMessage(overPipe(message)), message);
});

for (const [what, message] of [
  ['of an unknown kind', { kind: 'value', value: 'x' }],
  ['of a kind that objects have by nature', { kind: 'toString' }],
  ['with a field that is not agreed', { kind: 'applied', config: 0, value: 'x' }],
  ['without a field', { kind: 'applied' }],
  ['with a field of another type', { kind: 'applied', config: '0' }],
  ['with an event that is not in the table', { kind: 'log', event: 'x', message: '', fields: {} }],
  ['with an object in a field of the log', { kind: 'log', event: 'exit', message: '', fields: { a: {} } }],
  ['with an unknown code', { kind: 'unusable', problems: [{ code: 'x' }] }],
  ['that is no object', 'text'],
  ['that is no JSON', undefined],
] as const) {
  test(`a message ${what} is rejected`, () => {
    assert.throws(() => readMessage(message), /a message of (an unknown )?kind/);
  });
}

test('a problem arrives with every field that a retry depends on, and without its cause', () => {
  const problem = new Problem({
    code: 'fetch.throttled',
    subject: 's',
    message: 'm',
    remedy: 'r',
    file: 'f',
    line: 3,
    retry: true,
    retryFor: 15_000,
    retryAfter: 2_000,
    access: { action: 'a', resource: 'arn' },
    cause: new Error('CANARY'),
  });
  const sent = overPipe(problemMessage(problem));
  assert.not.match(JSON.stringify(sent), 'CANARY');
  const read = createProblemReader();
  const arrived = read(sent as ReturnType<typeof problemMessage>);
  assert.equal(problemMessage(arrived), problemMessage(problem));
  assert.is(read(sent as ReturnType<typeof problemMessage>), arrived);
});

test.run();
