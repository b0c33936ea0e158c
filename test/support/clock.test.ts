import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fakeClock } from './clock.ts';
import { rejects } from './rejects.ts';

const test = suite('fake clock');
const never = new AbortController().signal;

test('resolves each sleep when it is due, also those that begin meanwhile', async () => {
  const clock = fakeClock();
  const woke: string[] = [];
  const doze = async (name: string, ...naps: number[]): Promise<void> => {
    for (const nap of naps) {
      await clock.sleep(nap, never);
      woke.push(`${name} at ${clock.elapsed()}`);
    }
  };
  void doze('a', 30, 30);
  void doze('b', 10, 10, 10);
  await clock.advance(59);
  assert.equal(woke, ['b at 10', 'b at 20', 'a at 30', 'b at 30']);
  assert.equal(clock.sleepers, [1]);
  assert.is(await clock.next(), true);
  assert.is(woke.at(-1), 'a at 60');
  assert.is(await clock.next(), false);
});

test('timers stop while the machine is suspended, as on Linux', async () => {
  const clock = fakeClock({ now: 0 });
  const woke: string[] = [];
  for (const ms of [200, 100]) void clock.sleep(ms, never).then(() => woke.push(`${ms} at ${clock.now()}`));
  await clock.suspend(5000);
  assert.equal(woke, []);
  await clock.advance(300);
  assert.equal(woke, ['100 at 5100', '200 at 5200']);
});

test('a jump of the wall clock resolves no sleep', async () => {
  const clock = fakeClock({ now: 1000 });
  void clock.sleep(10, never);
  clock.jump(-400);
  assert.is(clock.now(), 600);
  assert.is(clock.elapsed(), 0);
  assert.equal(clock.sleepers, [10]);
});

test('an abort ends a sleep with its reason', async () => {
  const clock = fakeClock();
  const stop = new AbortController();
  const sleep = rejects(clock.sleep(10, stop.signal));
  stop.abort('stop');
  assert.is(await sleep, 'stop');
  assert.equal(clock.sleepers, []);
  assert.is(await rejects(clock.sleep(10, stop.signal)), 'stop');
});

test.run();
