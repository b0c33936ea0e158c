import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Log } from '../../src/core/log.ts';
import { events } from '../../src/core/log-events.ts';
import { Problem, problemsOf } from '../../src/core/problem.ts';
import type { Notifier } from '../../src/notify/notifier.ts';
import { createNotificationQueue, type NotificationQueue } from '../../src/notify/queue.ts';
import { type FakeClock, fakeClock } from '../support/clock.ts';
import { rejects } from '../support/rejects.ts';

const test = suite('the notification queue');
const never = new AbortController().signal;

/** A notifier whose attempts end as in the script, and that records names and times. */
interface Scripted extends Notifier {
  readonly received: string[];
}
type Act = 'ok' | 'fail' | 'hopeless' | 'hang' | number;

function scripted(clock: FakeClock, acts: Act[], kind: Notifier['kind'] = 'url'): Scripted {
  const received: string[] = [];
  return {
    kind,
    received,
    async notify(names, signal) {
      received.push(`${names.join()}@${clock.elapsed()}`);
      const act = acts.shift() ?? 'ok';
      if (act === 'fail') throw problem(true);
      if (act === 'hopeless') throw problem(false);
      if (act === 'hang') await clock.sleep(1e9, signal);
      if (typeof act === 'number') await clock.sleep(act, signal);
    },
  };
}

function problem(retry: boolean): Problem {
  return new Problem({
    code: 'notify.url',
    subject: 'http://app',
    message: 'expected 2xx, got 500',
    remedy: 'Mend it.',
    retry,
  });
}

function open(
  clock: FakeClock,
  notifiers: Notifier[],
  splay = 0,
): { queue: NotificationQueue; logged: string[] } {
  const logged: string[] = [];
  const log: Log = {
    write: (event, _, fields) => logged.push(`${events[event].level} ${event} ${fields?.attempts}`),
    problem: (event, _, fields) => logged.push(`${events[event].level} ${event} ${fields?.attempts}`),
  };
  const count = (kind: string, result: string) => logged.push(`count ${kind} ${result}`);
  return { queue: createNotificationQueue({ notifiers, clock, log, splay, count }), logged };
}

test('delivers a change once, immediately, and logs it', async () => {
  const clock = fakeClock();
  const app = scripted(clock, []);
  const { queue, logged } = open(clock, [app]);
  queue.enqueue(['a']);
  await clock.advance(600_000);
  assert.equal(app.received, ['a@0']);
  assert.equal(logged, ['count url success', 'info notify.succeeded 1']);
  assert.is(queue.status()[0]?.state, 'idle');
});

test('retries a failing notifier with backoff; logs the same failure once, then at debug', async () => {
  const clock = fakeClock();
  const app = scripted(clock, ['fail', 'fail', 'fail']);
  const { queue, logged } = open(clock, [app]);
  queue.enqueue(['a']);
  await clock.advance(60_000);
  assert.equal(app.received, ['a@0', 'a@1500', 'a@4500', 'a@10500']);
  assert.equal(
    logged.filter((line) => !line.startsWith('count')),
    [
      'warn notify.failed 1',
      'debug notify.failedAgain 2',
      'debug notify.failedAgain 3',
      'info notify.succeeded 4',
    ],
  );
});

test('logs a failure after a success as a new one', async () => {
  const clock = fakeClock();
  const { queue, logged } = open(clock, [scripted(clock, ['fail', 'ok', 'fail'])]);
  for (const file of ['a', 'b']) {
    queue.enqueue([file]);
    await clock.advance(60_000);
  }
  assert.is(logged.filter((line) => line === 'warn notify.failed 1').length, 2);
});

test('retries a persistent failure every minute, indefinitely', async () => {
  const clock = fakeClock({ random: () => 0.999 });
  const app = scripted(clock, Array(2000).fill('fail'));
  const { queue } = open(clock, [app]);
  queue.enqueue(['a']);
  await clock.advance(24 * 3_600_000);
  assert.ok(app.received.length > 1400 && app.received.length < 1500, String(app.received.length));
  assert.is(clock.sleepers.length, 1);
});

test('merges changes while a notifier is busy into one more notification', async () => {
  const clock = fakeClock();
  const app = scripted(clock, [1000]);
  const { queue } = open(clock, [app]);
  queue.enqueue(['a']);
  await clock.advance(100);
  queue.enqueue(['b']);
  queue.enqueue(['c', 'b']);
  assert.is(queue.status()[0]?.state, 'notifying');
  await clock.advance(10_000);
  assert.equal(app.received, ['a@0', 'b,c@1000']);
});

test('a retry carries the names of the failed attempt and of later changes', async () => {
  const clock = fakeClock();
  const app = scripted(clock, ['fail']);
  const { queue } = open(clock, [app]);
  queue.enqueue(['a']);
  await clock.advance(100);
  queue.enqueue(['b']);
  assert.is(queue.status()[0]?.pending, 2);
  await clock.advance(10_000);
  assert.equal(app.received, ['a@0', 'a,b@1500']);
  assert.is(queue.status()[0]?.pending, 0);
});

test('a retry without a later change passes the same list, by which a notifier recognizes it', async () => {
  const clock = fakeClock();
  const lists: (readonly string[])[] = [];
  const notifier: Notifier = {
    kind: 'signal',
    async notify(names) {
      lists.push(names);
      if (lists.length <= 2) throw problem(true);
    },
  };
  const { queue } = open(clock, [notifier]);
  queue.enqueue(['a', 'b']);
  await clock.advance(100);
  // Enqueued by a sync that changed nothing.
  queue.enqueue([]);
  await clock.advance(60_000);
  queue.enqueue(['a', 'b']);
  await clock.advance(60_000);
  assert.is(lists.length, 4);
  assert.is(lists[1], lists[0]);
  assert.is(lists[2], lists[0]);
  assert.is.not(lists[3], lists[0]);
});

test('a retry includes a change that arrived during the failed attempt', async () => {
  const clock = fakeClock();
  const received: string[] = [];
  const notifier: Notifier = {
    kind: 'exec',
    async notify(names, signal) {
      received.push(names.join());
      await clock.sleep(1000, signal);
      if (received.length === 1) throw problem(true);
    },
  };
  const { queue } = open(clock, [notifier]);
  queue.enqueue(['a']);
  await clock.advance(500);
  queue.enqueue(['b']);
  await clock.advance(60_000);
  assert.equal(received, ['a', 'a,b']);
});

for (const [name, duringTry] of [
  ['while a try that fails is under way', true],
  ['while it waits for the next try', false],
] as const) {
  test(`merges changes into one set of names: ${name}`, async () => {
    const clock = fakeClock();
    const received: (readonly string[])[] = [];
    const notifier: Notifier = {
      kind: 'exec',
      async notify(names, signal) {
        received.push(names);
        await clock.sleep(1000, signal);
        if (received.length === 1) throw problem(true);
      },
    };
    const { queue } = open(clock, [notifier]);
    queue.enqueue(['came', 'went']);
    await clock.advance(duringTry ? 500 : 1500);
    queue.enqueue(['came', 'other']);
    await clock.advance(60_000);
    assert.is(received.length, 2);
    assert.equal(received[1], ['came', 'other', 'went']);
  });
}

test('a hanging or failing notifier does not delay another', async () => {
  const clock = fakeClock();
  const [stuck, failing, fine] = [scripted(clock, ['hang']), scripted(clock, ['fail']), scripted(clock, [])];
  const { queue } = open(clock, [stuck, failing, fine]);
  queue.enqueue(['a']);
  await clock.advance(1000);
  queue.enqueue(['b']);
  await clock.advance(1000);
  assert.equal(stuck.received, ['a@0']);
  assert.equal(failing.received, ['a@0', 'a,b@1500']);
  assert.equal(fine.received, ['a@0', 'b@1000']);
});

test('waits for the splay before a change, not before a retry, and merges changes that arrive meanwhile', async () => {
  const clock = fakeClock();
  const app = scripted(clock, ['ok', 'fail']);
  const { queue } = open(clock, [app], 60_000);
  queue.enqueue(['a']);
  await clock.advance(10_000);
  queue.enqueue(['b']);
  await clock.advance(50_000);
  queue.enqueue(['c']);
  await clock.advance(100_000);
  assert.equal(app.received, ['a,b@30000', 'c@90000', 'c@91500']);
});

test('delivers a change that arrives at the very end of an attempt', async () => {
  const clock = fakeClock();
  const received: string[] = [];
  const notifier: Notifier = {
    kind: 'touch',
    async notify(names) {
      received.push(names.join());
      if (received.length === 1) queueMicrotask(() => queueMicrotask(() => queue.enqueue(['b'])));
    },
  };
  const { queue } = open(clock, [notifier]);
  queue.enqueue(['a']);
  await clock.advance(1000);
  assert.equal(received, ['a', 'b']);
});

test('drain resolves when all notifiers have delivered, also after a retry', async () => {
  const clock = fakeClock();
  const { queue } = open(clock, [scripted(clock, ['fail']), scripted(clock, [5000])]);
  await queue.drain(30_000, never);
  queue.enqueue(['a']);
  const drained = queue.drain(30_000, never).then(() => clock.elapsed());
  await clock.advance(60_000);
  assert.is(await drained, 5000);
  assert.equal(clock.sleepers, []);
});

test('drain throws the problem of a notifier that still fails at the timeout', async () => {
  const clock = fakeClock();
  const { queue } = open(clock, [
    scripted(clock, Array(100).fill('fail')),
    scripted(clock, ['hang'], 'exec'),
  ]);
  queue.enqueue(['a']);
  const drained = rejects(queue.drain(30_000, never)).then((error) => ({ error, at: clock.elapsed() }));
  await clock.advance(60_000);
  const { error, at } = await drained;
  assert.is(at, 30_000);
  assert.equal(
    problemsOf(error)?.map(({ code, message }) => `${code}: ${message}`),
    ['notify.url: expected 2xx, got 500', 'notify.exec: notification did not finish within 30s'],
  );
});

for (const [when, others, at] of [
  ['at once', [], 0],
  ['as soon as the others are done', [2000], 2000],
] as const) {
  test(`drain throws ${when} when no retry can help`, async () => {
    const clock = fakeClock();
    const hopeless = scripted(clock, Array(100).fill('hopeless'));
    const { queue } = open(clock, [hopeless, ...others.map((ms) => scripted(clock, [ms]))]);
    queue.enqueue(['a']);
    const drained = rejects(queue.drain(30_000, never)).then((error) => ({ error, at: clock.elapsed() }));
    await clock.advance(60_000);
    assert.is((await drained).at, at);
    assert.is(problemsOf((await drained).error)?.length, 1);
  });
}

test('drain does not count the splay in its timeout', async () => {
  const clock = fakeClock();
  const app = scripted(clock, [10_000]);
  const { queue } = open(clock, [app], 120_000);
  queue.enqueue(['a']);
  const drained = queue.drain(30_000, never);
  await clock.advance(70_000);
  await drained;
  assert.equal(app.received, ['a@60000']);
});

test('drain rejects with the reason of a stop', async () => {
  const clock = fakeClock();
  const { queue } = open(clock, [scripted(clock, ['hang'])]);
  queue.enqueue(['a']);
  const stop = new AbortController();
  const drained = rejects(queue.drain(30_000, stop.signal));
  await clock.advance(10);
  stop.abort('SIGTERM');
  assert.is(await drained, 'SIGTERM');
});

test('close delivers at once what waits for its splay, and drops what waits for a retry', async () => {
  const clock = fakeClock();
  const splayed = scripted(clock, []);
  const { queue } = open(clock, [splayed], 60_000);
  const failing = scripted(clock, Array(9).fill('fail'));
  const other = open(clock, [failing]).queue;
  for (const each of [queue, other]) each.enqueue(['a']);
  await clock.advance(20_000);
  const tries = failing.received.length;
  await Promise.all([queue.close(2000), other.close(2000)]);
  assert.is(clock.elapsed(), 20_000);
  assert.equal(splayed.received, ['a@20000']);
  assert.is(failing.received.length, tries);
  assert.equal(clock.sleepers, []);
});

test('close aborts a running attempt after the grace', async () => {
  const clock = fakeClock();
  const { queue: quick, logged } = open(clock, [scripted(clock, [1500], 'exec')]);
  const { queue: slow, logged: loggedSlow } = open(clock, [scripted(clock, ['hang'], 'exec')]);
  // A request whose host name is never resolved.
  const { queue: request } = open(clock, [scripted(clock, ['hang'], 'url')]);
  const queues = [quick, slow, request];
  for (const each of queues) each.enqueue(['a']);
  const closed = Promise.all(queues.map((each) => each.close(2000).then(() => clock.elapsed())));
  await clock.advance(10_000);
  assert.equal(await closed, [1500, 2000, 700]);
  assert.equal(logged, ['count exec success', 'info notify.succeeded 1']);
  assert.equal(loggedSlow, []);
  slow.enqueue(['b']);
  await clock.advance(10_000);
  assert.equal(clock.sleepers, []);
});

test('the status shows deliveries, and failures with their reason', async () => {
  const clock = fakeClock();
  const { queue } = open(clock, [scripted(clock, ['ok', 'fail', 'fail'])]);
  const onPage = () => JSON.parse(JSON.stringify(queue.status()));
  assert.equal(onPage(), [{ kind: 'url', state: 'idle', pending: 0, consecutiveFailures: 0 }]);
  queue.enqueue(['a']);
  await clock.advance(1000);
  queue.enqueue(['a']);
  await clock.advance(2000);
  assert.equal(onPage(), [
    {
      kind: 'url',
      state: 'waiting',
      pending: 1,
      consecutiveFailures: 2,
      lastNotified: '2026-01-01T00:00:00.000Z',
      lastFailure: '2026-01-01T00:00:02.500Z',
      lastError: {
        code: 'notify.url',
        subject: 'http://app',
        message: 'expected 2xx, got 500',
        remedy: 'Mend it.',
      },
    },
  ]);
  await clock.advance(60_000);
  assert.is(queue.status()[0]?.consecutiveFailures, 0);
});

test.run();
