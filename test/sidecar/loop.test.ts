import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Log } from '../../src/core/log.ts';
import { Problem } from '../../src/core/problem.ts';
import { firstPhase, logRetry, steadyPhase } from '../../src/sidecar/loop.ts';
import { createTriggers } from '../../src/sidecar/triggers.ts';
import type { Phase } from '../../src/worker/request.ts';
import { fakeClock } from '../support/clock.ts';
import { rejects } from '../support/rejects.ts';

const minute = 60_000;
const transient = new Problem({ code: 'fetch.server', subject: 's', message: 'm', remedy: 'r', retry: true });
const permanent = new Problem({ code: 'fetch.denied', subject: 's', message: 'm', remedy: 'r' });

/** A loop over a fake clock whose syncs end as in `script`, whose last entry repeats; `events` lists what happened, with times. */
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
    reload() {
      reloads.push(clock.elapsed());
      return false;
    },
    onSuccess: () => {},
    onRetry: (_problems: readonly Problem[], failures: number) => note(`failure ${failures}`),
    onFailure: (_problems: readonly Problem[], failures: number) => note(`failure ${failures}`),
  };
  return { options, clock, triggers, stop, events, reloads };
}

test('a first phase that succeeds at once does nothing more', async () => {
  const { options, stop, events } = loopWith(['ok']);
  await firstPhase(options, minute, stop.signal);
  assert.equal(events, ['0s start sync']);
});

test('transient failures are retried with growing waits until a sync succeeds', async () => {
  const { options, clock, stop, events } = loopWith([transient, transient, transient, 'ok']);
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

test('a permanent failure ends the first phase at once', async () => {
  const { options, stop, events } = loopWith([permanent]);
  assert.is(await rejects(firstPhase(options, minute, stop.signal)), permanent);
  assert.equal(events, ['0s start sync']);
});

test('the first phase ends at its timeout, with a last attempt at the very end', async () => {
  const { options, clock, stop, events } = loopWith([transient]);
  const phase = rejects(firstPhase(options, minute, stop.signal));
  await clock.advance(2 * minute);
  assert.is(await phase, transient);
  assert.is(events.at(-1), '60s start sync');
});

test('a start timeout of 0 means one attempt', async () => {
  const { options, stop, events } = loopWith([transient]);
  assert.is(await rejects(firstPhase(options, 0, stop.signal)), transient);
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

test('no failure ends the steady phase: it backs off, and returns to the interval after a success', async () => {
  const { options, clock, stop, events } = loopWith([permanent, transient, 'ok']);
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

test('hours of failure lead to a sync every minute or so, indefinitely', async () => {
  const { options, clock, stop, events } = loopWith([transient]);
  const phase = rejects(steadyPhase(options, 0, stop.signal));
  await clock.advance(180 * minute);
  stop.abort();
  await phase;
  const syncs = events.filter((line) => line.endsWith('sync')).length;
  assert.ok(syncs > 150 && syncs < 200, `${syncs} syncs in three hours`);
});

test('a Retry-After extends the wait', async () => {
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

test('an edited config is read before the sync that it triggers', async () => {
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

test('an error that is not a Problem is a bug and ends the loop', async () => {
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

test('a retry logs each cause once, with the first names of the other affected objects', () => {
  const logged: unknown[] = [];
  const log: Log = {
    write() {},
    problem: (event, { subject }, fields) => logged.push([event, subject, fields?.alsoAffected]),
  };
  const stopped = Array.from(
    { length: 40 },
    (_, i) => new Problem({ code: 'fetch.server', subject: `s${i}`, message: 'm', remedy: 'r', retry: true }),
  );
  logRetry(log)([...stopped, permanent], 1, minute);
  assert.equal(logged, [
    ['start.retrying', 's0', 's1, s2, s3, s4, s5 and 34 more'],
    ['start.retrying', 's', undefined],
  ]);
});

test.run();
