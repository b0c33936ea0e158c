import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  abortable,
  createSemaphore,
  mapLimited,
  setCancellableTimeout,
  withTimeout,
} from '../../src/core/limits.ts';
import { fakeClock } from '../support/clock.ts';
import { rejects } from '../support/rejects.ts';

const test = suite('abort, timeout and semaphore');

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const forever = new Promise<never>(() => {});
const late = (): Error => new Error('late');

test('an abort rejects the caller, and the work continues', async () => {
  const stop = new AbortController();
  const waiting = rejects(abortable(forever, stop.signal));
  stop.abort('stop');
  assert.is(await waiting, 'stop');
  assert.is(await rejects(abortable(forever, stop.signal)), 'stop');
  assert.is(await abortable(Promise.resolve(7), new AbortController().signal), 7);
});

test("a timeout rejects, aborts the work's signal, and leaves no timer behind", async () => {
  const clock = fakeClock();
  let received: unknown;
  const waiting = rejects(
    withTimeout(clock, 100, late, (signal) => {
      signal.addEventListener('abort', () => {
        received = signal.reason;
      });
      return forever;
    }),
  );
  await clock.advance(99);
  assert.is(received, undefined);
  await clock.advance(1);
  assert.is((await waiting) as Error, received);
  assert.is(await withTimeout(clock, 100, late, async () => 7), 7);
  assert.is(
    ((await rejects(withTimeout(clock, 100, late, async () => Promise.reject(late())))) as Error).message,
    'late',
  );
  assert.equal(clock.sleepers, []);
});

test('a cancelled timeout does not call back', async () => {
  const clock = fakeClock();
  const called: string[] = [];
  const cancel = setCancellableTimeout(clock, 10, () => called.push('cancelled'));
  setCancellableTimeout(clock, 10, () => called.push('kept'));
  cancel();
  await clock.advance(10);
  assert.equal(called, ['kept']);
});

test('a semaphore grants units in order, and each unit once', async () => {
  const slots = createSemaphore(2);
  const taken: number[] = [];
  const releases = new Map<number, () => void>();
  for (const number of [1, 2, 3, 4])
    void slots.take(undefined).then((release) => {
      taken.push(number);
      releases.set(number, release);
    });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  await settle();
  assert.equal(taken, [1, 2]);
  releases.get(2)?.();
  await settle();
  assert.equal(taken, [1, 2, 3]);
  releases.get(1)?.();
  releases.get(3)?.();
  await settle();
  assert.equal(taken, [1, 2, 3, 4]);
  releases.get(4)?.();
  for (const number of [5, 6, 7]) void slots.take(undefined).then(() => taken.push(number));
  await settle();
  assert.equal(taken.slice(4), [5, 6]);
});

test('an aborted caller leaves the queue', async () => {
  const slots = createSemaphore(1);
  const release = await slots.take(undefined);
  const stop = new AbortController();
  const gaveUp = rejects(slots.take(stop.signal));
  const next = slots.take(undefined);
  stop.abort('stop');
  assert.is(await gaveUp, 'stop');
  assert.is(await rejects(slots.take(stop.signal)), 'stop');
  release();
  (await next)();
  assert.type(await slots.take(undefined), 'function');
});

test('at most so many items are in work at a time, and the results have their order', async () => {
  const ends: (() => void)[] = [];
  const results = mapLimited([5, 6, 7], 2, async (item) => {
    await new Promise<void>((end) => ends.push(end));
    return item * 10;
  });
  assert.is(ends.length, 2);
  ends[1]?.();
  await settle();
  assert.is(ends.length, 3);
  ends[2]?.();
  ends[0]?.();
  assert.equal(await results, [50, 60, 70]);
  assert.equal(await mapLimited([], 2, async () => 1), []);
});

test('after a rejection no other item is begun', async () => {
  const begun: number[] = [];
  const work = async (item: number): Promise<void> => {
    begun.push(item);
    await settle();
    if (item === 0) throw new Error('first');
  };
  assert.is(((await rejects(mapLimited([0, 1, 2, 3], 2, work))) as Error).message, 'first');
  await settle();
  assert.equal(begun, [0, 1]);
});

test.run();
