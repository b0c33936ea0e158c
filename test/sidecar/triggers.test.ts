import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createTriggers, type TriggerReason } from '../../src/sidecar/triggers.ts';
import { fakeClock } from '../support/clock.ts';
import { rejects } from '../support/rejects.ts';

const never = new AbortController().signal;

/** The reasons of the next wake-up, once it has come. */
function listen(next: Promise<ReadonlySet<TriggerReason>>): { reasons?: string } {
  const heard: { reasons?: string } = {};
  void next.then((reasons) => {
    heard.reasons = [...reasons].join();
  });
  return heard;
}

test('without a request the timer triggers, at its time', async () => {
  const clock = fakeClock();
  const heard = listen(createTriggers(clock).wait(150_000, never));
  await clock.advance(149_999);
  assert.is(heard.reasons, undefined);
  await clock.advance(1);
  assert.is(heard.reasons, 'timer');
});

test('a request triggers at once', async () => {
  const clock = fakeClock();
  const triggers = createTriggers(clock);
  const heard = listen(triggers.wait(600_000, never));
  await clock.settle();
  triggers.trigger('request');
  await clock.settle();
  assert.is(heard.reasons, 'request');
});

test('requests that come while nobody listens are kept, and are one', async () => {
  const clock = fakeClock();
  const triggers = createTriggers(clock);
  triggers.trigger('config');
  triggers.trigger('config');
  triggers.trigger('signal');
  assert.equal([...(await triggers.wait(600_000, never))], ['config', 'signal']);
  const heard = listen(triggers.wait(1000, never));
  await clock.advance(1000);
  assert.is(heard.reasons, 'timer');
});

test('after the machine was suspended the timer is late by a minute at most', async () => {
  const clock = fakeClock();
  const heard = listen(createTriggers(clock).wait(600_000, never));
  await clock.settle();
  await clock.suspend(3_600_000);
  await clock.advance(60_000);
  assert.is(heard.reasons, 'timer');
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

test.run();
