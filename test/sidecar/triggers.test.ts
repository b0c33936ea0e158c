import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createRefreshLimit, createTriggers, type TriggerReason } from '../../src/sidecar/triggers.ts';
import { fakeClock } from '../support/clock.ts';
import { rejects } from '../support/rejects.ts';

const never = new AbortController().signal;

/** The reasons of the next wait, once it has ended. */
function listen(next: Promise<ReadonlySet<TriggerReason>>): { reasons?: string } {
  const received: { reasons?: string } = {};
  void next.then((reasons) => {
    received.reasons = [...reasons].join();
  });
  return received;
}

test('the timer triggers when it is due, without a request', async () => {
  const clock = fakeClock();
  const received = listen(createTriggers(clock).wait(150_000, never));
  await clock.advance(149_999);
  assert.is(received.reasons, undefined);
  await clock.advance(1);
  assert.is(received.reasons, 'timer');
});

test('a request triggers at once', async () => {
  const clock = fakeClock();
  const triggers = createTriggers(clock);
  const received = listen(triggers.wait(600_000, never));
  await clock.settle();
  triggers.trigger('request');
  await clock.settle();
  assert.is(received.reasons, 'request');
});

test('keeps requests that arrive while the loop does not wait, and merges them into one', async () => {
  const clock = fakeClock();
  const triggers = createTriggers(clock);
  triggers.trigger('config');
  triggers.trigger('config');
  triggers.trigger('signal');
  assert.equal([...(await triggers.wait(600_000, never))], ['config', 'signal']);
  const received = listen(triggers.wait(1000, never));
  await clock.advance(1000);
  assert.is(received.reasons, 'timer');
});

test('after the machine was suspended the timer is late by a minute at most', async () => {
  const clock = fakeClock();
  const received = listen(createTriggers(clock).wait(600_000, never));
  await clock.settle();
  await clock.suspend(3_600_000);
  await clock.advance(60_000);
  assert.is(received.reasons, 'timer');
});

test('a stop ends the wait with its own reason', async () => {
  const clock = fakeClock();
  const stop = new AbortController();
  const reason = new Error('SIGTERM');
  const waiting = rejects(createTriggers(clock).wait(600_000, stop.signal));
  await clock.settle();
  stop.abort(reason);
  assert.is(await waiting, reason);
});

function limited() {
  const clock = fakeClock();
  const stop = new AbortController();
  const triggered: number[] = [];
  const refresh = createRefreshLimit(() => triggered.push(clock.elapsed()), 5000, clock, stop.signal);
  return { clock, stop, triggered, refresh };
}

test('coalesces requests: the first triggers at once, later ones once, at the end of the spacing', async () => {
  const { clock, triggered, refresh } = limited();
  for (let times = 0; times < 100; times++) refresh();
  await clock.advance(2000);
  refresh();
  assert.equal(triggered, [0]);
  await clock.advance(60_000);
  assert.equal(triggered, [0, 5000]);
});

test('a request after the spacing triggers at once', async () => {
  const { clock, triggered, refresh } = limited();
  refresh();
  await clock.advance(5000);
  refresh();
  assert.equal(triggered, [0, 5000]);
  assert.equal(clock.sleepers, []);
});

test('endless requests trigger once within the spacing', async () => {
  const { clock, triggered, refresh } = limited();
  for (let times = 0; times < 200; times++) {
    refresh();
    await clock.advance(100);
  }
  assert.equal(triggered, [0, 5000, 10_000, 15_000, 20_000]);
});

test('a request after the stop does nothing', async () => {
  const { clock, stop, triggered, refresh } = limited();
  refresh();
  refresh();
  stop.abort();
  refresh();
  await clock.advance(60_000);
  assert.equal(triggered, [0]);
  assert.equal(clock.sleepers, []);
});

test.run();
