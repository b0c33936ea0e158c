/** A replaced generation stays for one second, for readers that still use it, and no longer. */

import * as fs from 'node:fs';
import { closeSync, existsSync, lstatSync, mkdirSync, openSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Problem } from '../../src/core/problem.ts';
import { fakeClock } from '../support/clock.ts';
import { generationsIn, open, publishOnce, shown, snapshot } from '../support/directory.ts';
import { rejects } from '../support/rejects.ts';
import { scratch } from '../support/scratch.ts';

const test = suite('replaced generations');
test('a reader that opened or resolved ..data before a publish can still read the whole old generation', async () => {
  const dir = scratch();
  const directory = await open(dir, { keepReplaced: false });
  await directory.publish(snapshot({ a: 'old', gone: 'old' }));
  const opened = openSync(join(dir, '..data'), 'r');
  const resolved = realpathSync(join(dir, '..data'));
  await directory.publish(snapshot({ a: 'new' }));
  await directory.clock.advance(999);
  for (const generation of [`/proc/self/fd/${opened}`, resolved]) {
    assert.is(readFileSync(join(generation, 'a'), 'utf8'), 'old');
    assert.is(readFileSync(join(generation, 'gone'), 'utf8'), 'old');
  }
  assert.equal(shown(dir), { a: 'new' });
  await directory.clock.advance(1);
  assert.not.ok(existsSync(resolved));
  assert.is(generationsIn(dir).length, 1);
  closeSync(opened);
  await directory.end();
});

test('removes each generation one second after it was replaced, even if publishes follow quickly', async () => {
  const dir = scratch();
  const directory = await open(dir, { keepReplaced: false });
  const counts: number[] = [];
  for (const text of ['1', '2', '3', '4']) {
    await directory.publish(snapshot({ a: text }));
    await directory.clock.advance(400);
    counts.push(generationsIn(dir).length);
  }
  assert.equal(counts, [1, 2, 3, 3]);
  await directory.end();
  assert.is(generationsIn(dir).length, 1);
});

test('the first publish, and one that changes nothing, schedule no removal', async () => {
  const directory = await open(scratch(), { keepReplaced: false });
  await directory.publish(snapshot({ a: '1' }));
  await directory.publish(snapshot({ a: '1' }));
  assert.equal(directory.clock.sleepers, []);
  await directory.close();
});

test('the next process removes the generation that a killed writer replaced, after its delay of one second', async () => {
  for (const [sinceThen, wait] of [
    [400, 600],
    [5000, 0],
    // The clock was set back.
    [-3_600_000, 1000],
  ] as const) {
    const dir = scratch();
    const killed = await open(dir, { keepReplaced: false });
    await killed.publish(snapshot({ a: 'old' }));
    await killed.publish(snapshot({ a: 'new' }));
    const published = lstatSync(join(dir, '..data')).mtimeMs;
    // Closing does not wait for a process that is dead.
    void killed.close();
    await killed.clock.advance(1000);
    // Represents the generation that it would have left.
    mkdirSync(join(dir, '..2026_01_01_00_00_00.killed'));

    const clock = fakeClock({ now: published + sinceThen });
    const next = await open(dir, { keepReplaced: false, clock });
    await next.publish(snapshot({ a: 'new' }));
    if (wait > 0) {
      assert.is(generationsIn(dir).length, 2);
      const [left = 0] = clock.sleepers;
      assert.ok(Math.abs(left - wait) < 50, `${left} instead of ${wait}`);
      // A second publish does not extend the wait.
      await next.publish(snapshot({ a: 'new' }));
      assert.is(clock.sleepers.length, 1);
    }
    await clock.advance(wait + 50);
    assert.is(generationsIn(dir).length, 1);
    await next.close();
  }
});

test('a generation that cannot be removed does not undo the publish, and is a problem at the next removal', async () => {
  const dir = scratch();
  await publishOnce(dir, snapshot({ a: 'old' }));
  const rmSync = () => {
    throw Object.assign(new Error('EACCES'), { code: 'EACCES', syscall: 'rm', path: dir });
  };
  const clock = fakeClock({ now: Date.now() });
  const directory = await open(dir, { keepReplaced: false, fs: { ...fs, rmSync }, clock });
  assert.is((await directory.publish(snapshot({ a: 'new' }))).kind, 'changed');
  await clock.advance(3_600_000);
  const problem = (await rejects(directory.held.removeReplaced())) as Problem;
  assert.instance(problem, Problem);
  assert.is(problem.code, 'publish.write');
  assert.equal(shown(dir), { a: 'new' });
  await directory.close();
});

test('can be closed twice', async () => {
  const directory = await open(scratch(), { keepReplaced: false });
  assert.is(directory.close(), directory.close());
  await directory.close();
});

test.run();
