/** Every failure that the fake AWS can produce, for every operation, has the right code, and no output contains the canary value. */

import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SecretRef } from '../../src/config/secret-ref.ts';
import type { Problem } from '../../src/core/problem.ts';
import type { GarbageShape, Misbehaviour } from '../fake-aws/faults.ts';
import { fakeClock } from '../support/clock.ts';
import { until } from '../support/wait.ts';
import { openWorld, parameter, problemsIn, REGION, secret, type World } from './world.ts';

const test = suite('failing calls');

const CANARY = 'canary';

const operations: Readonly<Record<string, readonly SecretRef[]>> = {
  GetSecretValue: [secret('a')],
  BatchGetSecretValue: [secret('a'), secret('b')],
  GetParameters: [parameter('/a'), parameter('/b')],
};

interface Case {
  readonly does: Misbehaviour;
  readonly code: string;
  /** Results that are counted for one call, in order. */
  readonly counted: readonly string[];
}

const thrice = (result: string): string[] => [result, result, result];
const garbage = (shape: GarbageShape, code: string, counted: readonly string[]): Case => ({
  does: { kind: 'garbage', shape, bytes: 17 * 1024 * 1024 },
  code,
  counted,
});
const error = (name: string, code: string, counted: string, status = 400): Case => ({
  does: { kind: 'error', code: name, status },
  code,
  counted: [counted],
});

const cases: Readonly<Record<string, Case>> = {
  throttled: { does: { kind: 'throttle' }, code: 'fetch.throttled', counted: thrice('throttled') },
  'throttled, status 429': {
    does: { kind: 'throttle', status: 429 },
    code: 'fetch.throttled',
    counted: thrice('throttled'),
  },
  'failing server': { does: { kind: 'server-error' }, code: 'fetch.server', counted: thrice('server') },
  'server away': {
    does: { kind: 'server-error', status: 503 },
    code: 'fetch.server',
    counted: thrice('server'),
  },
  'a page of a gateway': {
    does: { kind: 'server-error', status: 502, body: 'html' },
    code: 'fetch.server',
    counted: thrice('server'),
  },
  'an empty 504': {
    does: { kind: 'server-error', status: 504, body: 'empty' },
    code: 'fetch.server',
    counted: thrice('server'),
  },
  hang: { does: { kind: 'hang' }, code: 'fetch.network', counted: thrice('network') },
  'cut before the response': {
    does: { kind: 'cut', at: 'before-headers' },
    code: 'fetch.network',
    counted: thrice('network'),
  },
  'cut in the response': {
    does: { kind: 'cut', at: 'mid-body' },
    code: 'fetch.network',
    counted: thrice('network'),
  },
  'not JSON': garbage('not-json', 'fetch.response', ['server']),
  'half of the JSON': garbage('truncated', 'fetch.response', ['server']),
  'too large': garbage('huge', 'fetch.response', ['server']),
  'JSON without values': garbage('no-value', 'fetch.response', ['success']),
  'JSON with numbers for texts': garbage('numbers', 'fetch.response', ['success']),
  'JSON null': garbage('null', 'fetch.response', ['success']),
  'a JSON list': garbage('list', 'fetch.response', ['success']),
  'no body': garbage('empty', 'fetch.response', ['success']),
  'credentials expired': {
    does: { kind: 'expired' },
    code: 'credentials.expired',
    counted: ['denied', 'denied'],
  },
  'access denied': error('AccessDeniedException', 'fetch.denied', 'denied'),
  'a request that is rejected': error('ValidationException', 'fetch.client', 'client'),
  'an operation that is unknown': error('UnknownOperationException', 'fetch.client', 'client'),
  'a key that fails': error('DecryptionFailure', 'fetch.client', 'client'),
  'a page of a proxy': {
    does: { kind: 'server-error', status: 403, body: 'html' },
    code: 'fetch.response',
    counted: ['server'],
  },
};

const warnings: unknown[] = [];
process.on('warning', (warning) => warnings.push(warning));
const printed: unknown[][] = [];
for (const name of ['log', 'info', 'warn', 'error'] as const)
  console[name] = (...words: unknown[]) => printed.push(words);

interface Run {
  readonly world: World;
  readonly problems: readonly Problem[];
}

/** Begins at once, so that the pauses between attempts of all cases pass together. */
function begin(operation: string, expected: Case): Promise<Run> {
  const run = failing(operation, expected);
  run.catch(() => {});
  return run;
}

async function failing(operation: string, { does }: Case): Promise<Run> {
  const values = { a: `${CANARY}-a`, b: `${CANARY}-b` };
  // Stands still: so many at once take a slow machine longer than the limits for connecting.
  const clock = fakeClock({ now: Date.now() });
  const world = await openWorld({
    seed: {
      regions: {
        [REGION]: { secrets: values, parameters: { '/a': values.a, '/b': values.b } },
      },
      faults: [{ on: { operation }, does }],
    },
    fetch: operation === 'BatchGetSecretValue' ? 'batch' : 'single',
    clock,
  });
  const reading = world.source.read(operations[operation] ?? [], new AbortController().signal);
  for (let attempt = 1; does.kind === 'hang' && attempt <= 3; attempt++) {
    await until(`attempt ${attempt}`, () => world.aws.count({ operation }) === attempt);
    await clock.advance(20_000);
  }
  const outcomes = await reading;
  const problems = problemsIn(outcomes);
  const everything = [
    inspect(outcomes, { showHidden: true, depth: 20 }),
    JSON.stringify([...outcomes]),
    ...problems.map((problem) => `${problem.stack}${inspect(problem.cause, { showHidden: true })}`),
    ...world.logged,
    ...world.counted,
  ].join('\n');
  await world.close();
  assert.not.match(everything, CANARY);
  return { world, problems };
}

for (const [what, expected] of Object.entries(cases)) {
  for (const operation of ['GetSecretValue', 'GetParameters']) {
    const run = begin(operation, expected);
    test(`${operation}: ${what}`, async () => {
      const { world, problems } = await run;
      assert.equal(
        problems.map((problem) => problem.code),
        (operations[operation] ?? []).map(() => expected.code),
      );
      const results = world.counted.map((line) => line.split(' ').at(-1) ?? '');
      // One malformed name may be the cause of a rejected call, so each is requested alone.
      const again = operation === 'GetParameters' && ['fetch.client', 'fetch.denied'].includes(expected.code);
      assert.equal(results, again ? thrice(expected.counted[0] ?? '') : expected.counted);
    });
  }
}

for (const what of ['hang', 'not JSON', 'cut in the response', 'too large', 'failing server']) {
  const expected = cases[what] as Case;
  const run = begin('BatchGetSecretValue', expected);
  test(`BatchGetSecretValue: ${what} is the failure of all its secrets`, async () => {
    const { problems } = await run;
    assert.equal(
      problems.map((problem) => problem.code),
      [expected.code, expected.code],
    );
  });
}

for (const what of [
  'JSON null',
  'JSON without values',
  'a request that is rejected',
  'an operation that is unknown',
]) {
  const run = begin('BatchGetSecretValue', cases[what] as Case);
  test(`BatchGetSecretValue: ${what} neither crashes nor leaks a value`, async () => {
    const { problems } = await run;
    for (const { code } of problems) assert.is(code, 'fetch.response');
  });
}

test('only podsecrets prints, and Node emits no warning', () => {
  assert.equal(printed, []);
  assert.equal(warnings, []);
});

test.run();
