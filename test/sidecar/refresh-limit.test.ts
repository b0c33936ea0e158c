import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRefreshLimit } from '../../src/sidecar/refresh-limit.ts';
import { fakeClock } from '../support/clock.ts';

const test = suite('the limit of refreshes');

function limited() {
  const clock = fakeClock();
  const stop = new AbortController();
  const asked: number[] = [];
  const refresh = createRefreshLimit(() => asked.push(clock.elapsed()), 5000, clock, stop.signal);
  return { clock, stop, asked, refresh };
}

test('the first request counts at once, those that follow too soon count once, later', async () => {
  const { clock, asked, refresh } = limited();
  for (let times = 0; times < 100; times++) refresh();
  await clock.advance(2000);
  refresh();
  assert.equal(asked, [0]);
  await clock.advance(60_000);
  assert.equal(asked, [0, 5000]);
});

test('a request after a pause counts at once', async () => {
  const { clock, asked, refresh } = limited();
  refresh();
  await clock.advance(5000);
  refresh();
  assert.equal(asked, [0, 5000]);
  assert.equal(clock.sleepers, []);
});

test('asked without end, it counts once in the time given', async () => {
  const { clock, asked, refresh } = limited();
  for (let times = 0; times < 200; times++) {
    refresh();
    await clock.advance(100);
  }
  assert.equal(asked, [0, 5000, 10_000, 15_000, 20_000]);
});

test('after the stop nothing is asked', async () => {
  const { clock, stop, asked, refresh } = limited();
  refresh();
  refresh();
  stop.abort();
  refresh();
  await clock.advance(60_000);
  assert.equal(asked, [0]);
  assert.equal(clock.sleepers, []);
});

test.run();
