import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Problem } from '../../src/core/problem.ts';
import type { Phase } from '../../src/sidecar/backoff.ts';
import { firstPhase, steadyPhase } from '../../src/sidecar/loop.ts';
import { createTriggers } from '../../src/sidecar/triggers.ts';
import { fakeClock } from '../support/clock.ts';
import { rejects } from '../support/rejects.ts';

const minute = 60_000;
const passing = new Problem({ code: 'fetch.server', subject: 's', message: 'm', remedy: 'r', retry: true });
const lasting = new Problem({ code: 'fetch.denied', subject: 's', message: 'm', remedy: 'r' });

/** An options over a fake clock whose passes end as `script` says, the last entry for ever; its events says what happened when. */
function loopWith(script: (Error | 'ok' | (() => Promise<void>))[]) {
  const clock = fakeClock({ random: () => 0.5 });
  const triggers = createTriggers(clock);
  const stop = new AbortController();
  const events: string[] = [];
  const reloads: number[] = [];
  const note = (what: string) => events.push(`${Math.round(clock.elapsed() / 1000)}s ${what}`);
  let running = 0;
  const options = {
    clock,
    triggers,
    interval: 10 * minute,
    async sync(phase: Phase) {
      assert.is(++running, 1, 'one sync at a time');
      const ends = (script.length > 1 ? script.shift() : script[0]) ?? 'ok';
      note(`${phase} sync`);
      try {
        if (ends instanceof Error) throw ends;
        if (typeof ends === 'function') await ends();
      } finally {
        running--;
      }
    },
    async reload() {
      reloads.push(clock.elapsed());
    },
    onSuccess: () => {},
    onFailure: (_problems: readonly Problem[], failures: number) => note(`failure ${failures}`),
  };
  return { options, clock, triggers, stop, events, reloads };
}

test('a first phase that succeeds at once does nothing more', async () => {
  const { options, stop, events } = loopWith(['ok']);
  await firstPhase(options, minute, stop.signal);
  assert.equal(events, ['0s start sync']);
});

test('failures that may sync are tried again with growing waits until one sync succeeds', async () => {
  const { options, clock, stop, events } = loopWith([passing, passing, passing, 'ok']);
  const phase = firstPhase(options, minute, stop.signal);
  await clock.advance(minute);
  await phase;
  assert.equal(events, [
    '0s start sync',
    '0s failure 1',
    '0s start sync',
    '0s failure 2',
    '1s start sync',
    '1s failure 3',
    '2s start sync',
  ]);
});

test('a failure that cannot sync ends the first phase at once', async () => {
  const { options, stop, events } = loopWith([lasting]);
  assert.is(await rejects(firstPhase(options, minute, stop.signal)), lasting);
  assert.equal(events, ['0s start sync']);
});

test('the first phase gives up at its timeout, with a last try at the very end', async () => {
  const { options, clock, stop, events } = loopWith([passing]);
  const phase = rejects(firstPhase(options, minute, stop.signal));
  await clock.advance(2 * minute);
  assert.is(await phase, passing);
  assert.is(events.at(-1), '60s start sync');
});

test('a start timeout of zero means one try', async () => {
  const { options, stop, events } = loopWith([passing]);
  assert.is(await rejects(firstPhase(options, 0, stop.signal)), passing);
  assert.equal(events, ['0s start sync']);
});

test('the steady phase refreshes at the interval', async () => {
  const { options, clock, stop, events } = loopWith(['ok']);
  const phase = rejects(steadyPhase(options, 10 * minute, stop.signal));
  await clock.advance(25 * minute);
  stop.abort();
  await phase;
  assert.equal(events, ['600s steady sync', '1200s steady sync']);
});

test('no failure ends the steady phase: it backs off, and is back at the interval after a success', async () => {
  const { options, clock, stop, events } = loopWith([lasting, passing, 'ok']);
  const phase = rejects(steadyPhase(options, 0, stop.signal));
  await clock.advance(11 * minute);
  stop.abort();
  await phase;
  assert.equal(events, [
    '0s steady sync',
    '0s failure 1',
    '1s steady sync',
    '1s failure 2',
    '3s steady sync',
    '603s steady sync',
  ]);
});

test('hours of failure are asked about every minute or so, never in a storm and never given up', async () => {
  const { options, clock, stop, events } = loopWith([passing]);
  const phase = rejects(steadyPhase(options, 0, stop.signal));
  await clock.advance(180 * minute);
  stop.abort();
  await phase;
  const passes = events.filter((line) => line.endsWith('sync')).length;
  assert.ok(passes > 150 && passes < 200, `${passes} passes in three hours`);
});

test('what asked for a longer rest gets it', async () => {
  const throttled = new Problem({
    code: 'fetch.throttled',
    subject: 's',
    message: 'm',
    remedy: 'r',
    retry: true,
    retryAfter: 90_000,
  });
  const { options, clock, stop, events } = loopWith([throttled, 'ok']);
  const phase = rejects(steadyPhase(options, 0, stop.signal));
  await clock.advance(2 * minute);
  stop.abort();
  await phase;
  assert.equal(events, ['0s steady sync', '0s failure 1', '90s steady sync']);
});

test('an edited config is read before the sync that it woke', async () => {
  const { options, clock, triggers, stop, events, reloads } = loopWith(['ok']);
  const phase = rejects(steadyPhase(options, 10 * minute, stop.signal));
  await clock.advance(30_000);
  triggers.trigger('config');
  await clock.settle();
  stop.abort();
  await phase;
  assert.equal(reloads, [30_000]);
  assert.equal(events, ['30s steady sync']);
});

test('a refresh by the timer does not read the config again', async () => {
  const { options, clock, stop, reloads } = loopWith(['ok']);
  const phase = rejects(steadyPhase(options, 10 * minute, stop.signal));
  await clock.advance(20 * minute);
  stop.abort();
  await phase;
  assert.equal(reloads, []);
});

test('requests during a sync lead to exactly one more sync, after it', async () => {
  let finish = () => {};
  const slow = () => new Promise<void>((resolve) => (finish = resolve));
  const { options, clock, triggers, stop, events } = loopWith([slow, 'ok']);
  const phase = rejects(steadyPhase(options, 0, stop.signal));
  await clock.settle();
  for (let i = 0; i < 5; i++) triggers.trigger('request');
  await clock.advance(3000);
  assert.equal(events, ['0s steady sync']);
  finish();
  await clock.settle();
  assert.equal(events, ['0s steady sync', '3s steady sync']);
  stop.abort();
  await phase;
});

test('a thrown thing that is no problem is a bug and ends the options', async () => {
  const bug = new TypeError('x is not a function');
  const { options, clock, stop } = loopWith([bug]);
  const phase = rejects(steadyPhase(options, 0, stop.signal));
  await clock.settle();
  assert.is(await phase, bug);
});

test('a stop during the wait ends the steady phase with the reason of the stop', async () => {
  const { options, clock, stop } = loopWith(['ok']);
  const phase = rejects(steadyPhase(options, minute, stop.signal));
  await clock.settle();
  const reason = new Error('SIGTERM');
  stop.abort(reason);
  assert.is(await phase, reason);
});

test.run();
