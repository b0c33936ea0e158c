import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { firstPhase, steadyPhase } from '../../src/sidecar/loop.ts';
import { Problem } from '../../src/core/problem.ts';
import type { Phase } from '../../src/sidecar/backoff.ts';
import { createTriggers } from '../../src/sidecar/triggers.ts';
import { fakeClock } from '../support/clock.ts';
import { rejects } from '../support/rejects.ts';

const minute = 60_000;
const passing = new Problem({ code: 'fetch.server', subject: 's', message: 'm', remedy: 'r', retry: true });
const lasting = new Problem({ code: 'fetch.denied', subject: 's', message: 'm', remedy: 'r' });

/** An agent over a fake clock whose passes end as `script` says, the last entry for ever; its diary says what happened when. */
function house(script: (Error | 'ok' | (() => Promise<void>))[]) {
  const clock = fakeClock({ random: () => 0.5 });
  const wakes = createTriggers(clock);
  const stop = new AbortController();
  const diary: string[] = [];
  const reloads: number[] = [];
  const note = (what: string) => diary.push(`${Math.round(clock.elapsed() / 1000)}s ${what}`);
  let running = 0;
  const agent = {
    clock,
    wakes,
    interval: 10 * minute,
    async pass(phase: Phase) {
      assert.is(++running, 1, 'one pass at a time');
      const ends = (script.length > 1 ? script.shift() : script[0]) ?? 'ok';
      note(`${phase} pass`);
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
    refreshed: () => {},
    failed: (_problems: readonly Problem[], failures: number) => note(`failure ${failures}`),
  };
  return { agent, clock, wakes, stop, diary, reloads };
}

test('a first phase that succeeds at once does nothing more', async () => {
  const { agent, stop, diary } = house(['ok']);
  await firstPhase(agent, minute, stop.signal);
  assert.equal(diary, ['0s start pass']);
});

test('failures that may pass are tried again with growing waits until one pass succeeds', async () => {
  const { agent, clock, stop, diary } = house([passing, passing, passing, 'ok']);
  const phase = firstPhase(agent, minute, stop.signal);
  await clock.advance(minute);
  await phase;
  assert.equal(diary, [
    '0s start pass',
    '0s failure 1',
    '0s start pass',
    '0s failure 2',
    '1s start pass',
    '1s failure 3',
    '2s start pass',
  ]);
});

test('a failure that cannot pass ends the first phase at once', async () => {
  const { agent, stop, diary } = house([lasting]);
  assert.is(await rejects(firstPhase(agent, minute, stop.signal)), lasting);
  assert.equal(diary, ['0s start pass']);
});

test('the first phase gives up at its timeout, with a last try at the very end', async () => {
  const { agent, clock, stop, diary } = house([passing]);
  const phase = rejects(firstPhase(agent, minute, stop.signal));
  await clock.advance(2 * minute);
  assert.is(await phase, passing);
  assert.is(diary.at(-1), '60s start pass');
});

test('a start timeout of zero means one try', async () => {
  const { agent, stop, diary } = house([passing]);
  assert.is(await rejects(firstPhase(agent, 0, stop.signal)), passing);
  assert.equal(diary, ['0s start pass']);
});

test('the steady phase refreshes at the interval', async () => {
  const { agent, clock, stop, diary } = house(['ok']);
  const phase = rejects(steadyPhase(agent, 10 * minute, stop.signal));
  await clock.advance(25 * minute);
  stop.abort();
  await phase;
  assert.equal(diary, ['600s steady pass', '1200s steady pass']);
});

test('no failure ends the steady phase: it backs off, and is back at the interval after a success', async () => {
  const { agent, clock, stop, diary } = house([lasting, passing, 'ok']);
  const phase = rejects(steadyPhase(agent, 0, stop.signal));
  await clock.advance(11 * minute);
  stop.abort();
  await phase;
  assert.equal(diary, [
    '0s steady pass',
    '0s failure 1',
    '1s steady pass',
    '1s failure 2',
    '3s steady pass',
    '603s steady pass',
  ]);
});

test('hours of failure are asked about every minute or so, never in a storm and never given up', async () => {
  const { agent, clock, stop, diary } = house([passing]);
  const phase = rejects(steadyPhase(agent, 0, stop.signal));
  await clock.advance(180 * minute);
  stop.abort();
  await phase;
  const passes = diary.filter((line) => line.endsWith('pass')).length;
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
  const { agent, clock, stop, diary } = house([throttled, 'ok']);
  const phase = rejects(steadyPhase(agent, 0, stop.signal));
  await clock.advance(2 * minute);
  stop.abort();
  await phase;
  assert.equal(diary, ['0s steady pass', '0s failure 1', '90s steady pass']);
});

test('an edited config is read before the pass that it woke', async () => {
  const { agent, clock, wakes, stop, diary, reloads } = house(['ok']);
  const phase = rejects(steadyPhase(agent, 10 * minute, stop.signal));
  await clock.advance(30_000);
  wakes.trigger('config');
  await clock.settle();
  stop.abort();
  await phase;
  assert.equal(reloads, [30_000]);
  assert.equal(diary, ['30s steady pass']);
});

test('a refresh by the timer does not read the config again', async () => {
  const { agent, clock, stop, reloads } = house(['ok']);
  const phase = rejects(steadyPhase(agent, 10 * minute, stop.signal));
  await clock.advance(20 * minute);
  stop.abort();
  await phase;
  assert.equal(reloads, []);
});

test('requests during a pass lead to exactly one more pass, after it', async () => {
  let finish = () => {};
  const slow = () => new Promise<void>((resolve) => (finish = resolve));
  const { agent, clock, wakes, stop, diary } = house([slow, 'ok']);
  const phase = rejects(steadyPhase(agent, 0, stop.signal));
  await clock.settle();
  for (let i = 0; i < 5; i++) wakes.trigger('request');
  await clock.advance(3000);
  assert.equal(diary, ['0s steady pass']);
  finish();
  await clock.settle();
  assert.equal(diary, ['0s steady pass', '3s steady pass']);
  stop.abort();
  await phase;
});

test('a thrown thing that is no problem is a bug and ends the agent', async () => {
  const bug = new TypeError('x is not a function');
  const { agent, clock, stop } = house([bug]);
  const phase = rejects(steadyPhase(agent, 0, stop.signal));
  await clock.settle();
  assert.is(await phase, bug);
});

test('a stop during the wait ends the steady phase with the reason of the stop', async () => {
  const { agent, clock, stop } = house(['ok']);
  const phase = rejects(steadyPhase(agent, minute, stop.signal));
  await clock.settle();
  const reason = new Error('SIGTERM');
  stop.abort(reason);
  assert.is(await phase, reason);
});

test.run();
