import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Problem, Problems } from '../../src/core/problem.ts';
import { refreshDelay, retryAfterOf, retryBudget, retryDelay } from '../../src/sidecar/backoff.ts';

const minute = 60_000;

function problem(fields: { retry?: boolean; retryFor?: number; retryAfter?: number } = {}): Problem {
  return new Problem({ code: 'fetch.server', subject: 's', message: 'm', remedy: 'r', ...fields });
}

test('a refresh comes within ten percent of the interval', () => {
  assert.is(refreshDelay(10 * minute, 0), 9 * minute);
  assert.is(refreshDelay(10 * minute, 0.5), 10 * minute);
  assert.ok(refreshDelay(10 * minute, 0.999_999) <= 11 * minute);
});

test('waits double with each failure, up to a limit', () => {
  const limits = [1, 2, 3, 4, 5, 6, 60, 5000].map((failures) =>
    retryDelay('start', failures, 10 * minute, undefined, 1),
  );
  assert.equal(limits, [500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]);
});

test('the jitter is full: any part of the limit, but never a hot loop', () => {
  assert.is(retryDelay('start', 5, 10 * minute, undefined, 0), 100);
  assert.is(retryDelay('steady', 3, 10 * minute, undefined, 0.5), 4000);
});

test('a wait after failures is never longer than the interval', () => {
  assert.is(retryDelay('steady', 50, 5000, undefined, 1), 5000);
  assert.is(retryDelay('steady', 50, 5000, 60_000, 1), 5000);
});

test('waits for the Retry-After of the server', () => {
  assert.is(retryDelay('steady', 1, 10 * minute, 30_000, 0), 30_000);
  assert.is(retryAfterOf([problem(), problem({ retryAfter: 7 }), problem({ retryAfter: 3 })]), 7);
  assert.is(retryAfterOf([problem()]), undefined);
});

test('retries only if every problem is transient', () => {
  assert.is(retryBudget(problem({ retry: true }), minute), minute);
  assert.is(retryBudget(new Problems([problem({ retry: true }), problem()]), minute), 0);
  assert.is(retryBudget(new TypeError('a bug'), minute), 0);
});

test('a problem may limit the retries; the shortest limit counts', () => {
  const rejected = problem({ retry: true, retryFor: 15_000 });
  assert.is(retryBudget(rejected, minute), 15_000);
  assert.is(retryBudget(rejected, 5000), 5000);
  assert.is(retryBudget(new Problems([problem({ retry: true }), rejected]), minute), 15_000);
});

test.run();
