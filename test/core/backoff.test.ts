import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { backoff } from '../../src/core/backoff.ts';

const test = suite('backoff');
const parameters = { first: 2000, max: 60_000, min: 0, jitter: 0.5 } as const;

test('doubles delays up to the limit, which are never 0 or infinite', () => {
  assert.equal(
    [1, 2, 3, 4, 5, 6, 7, 1000].map((failures) => backoff(parameters, failures, 0, {})),
    [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000],
  );
  assert.is(backoff(parameters, 1, 0.999, {}), 1999);
  assert.ok(backoff(parameters, 2000, 0.9999, {}) <= 60_000);
});

test('with full jitter a delay is a random part of the limit, at least the minimum', () => {
  const full = { first: 500, max: 10_000, min: 100, jitter: 1 };
  assert.is(backoff(full, 3, 0.5, {}), 1000);
  assert.is(backoff(full, 3, 0, {}), 100);
});

test('a Retry-After lengthens the delay, up to the limit', () => {
  assert.is(backoff(parameters, 1, 0, { retryAfter: 5000 }), 5000);
  assert.is(backoff(parameters, 9, 0, { retryAfter: 5000 }), 30_000);
  assert.is(backoff(parameters, 1, 0, { retryAfter: 3_600_000 }), 60_000);
  assert.is(backoff(parameters, 1, 0, { retryAfter: 3_600_000, longest: 600_000 }), 600_000);
});

test.run();
