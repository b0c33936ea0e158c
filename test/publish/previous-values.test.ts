/** The values that the output of a hook must not show: the current ones, and those that were replaced recently. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Problem } from '../../src/core/problem.ts';
import { Secret } from '../../src/core/secret.ts';
import { createPreviousValues } from '../../src/publish/previous-values.ts';
import { open, snapshot } from '../support/directory.ts';
import { faultInjectingFs } from '../support/fault-injecting-fs.ts';
import { scratch } from '../support/scratch.ts';

const test = suite('replaced values');

function texts(values: readonly Secret[]): readonly string[] {
  return values.map((value) => Buffer.from(value.reveal()).toString()).sort();
}

test('are kept until the application was notified of the new ones', async () => {
  const directory = await open(scratch());
  await directory.publish(snapshot({ a: 'one', 'b/c': 'same' }));
  assert.equal(texts(directory.values()), ['one', 'same']);
  await directory.publish(snapshot({ a: 'two', 'b/c': 'same' }));
  await directory.publish(snapshot({ a: 'three', 'b/c': 'same' }));
  assert.equal(texts(directory.values()), ['one', 'same', 'same', 'same', 'three', 'two']);
  directory.clearPendingNotification();
  assert.equal(texts(directory.values()), ['same', 'three']);
  await directory.end();
});

test('are not kept without a notification or a change', async () => {
  const directory = await open(scratch());
  for (const a of ['one', 'two', 'two']) await directory.publish(snapshot({ a }), 'never');
  await directory.publish(snapshot({ a: 'two' }));
  assert.equal(texts(directory.values()), ['two']);
  await directory.end();
});

test('are overwritten when they are dropped, the oldest first above the limit', () => {
  const replaced = createPreviousValues();
  const [first, second, third] = ['a', 'b', 'c'].map((letter) => new Secret(letter.repeat(500_000)));
  assert.ok(first && second && third);
  replaced.keep([first]);
  replaced.keep([second, third]);
  assert.equal(replaced.values(), [second, third]);
  assert.is(first.reveal()[0], 0);
  assert.is(second.reveal()[0], 'b'.charCodeAt(0));
  replaced.forget();
  assert.equal(replaced.values(), []);
  assert.is(second.reveal()[0], 0);
});

test('a value that cannot be read is a Problem of the directory', async () => {
  const faulty = faultInjectingFs();
  const directory = await open(scratch(), { fs: faulty.fs });
  await directory.publish(snapshot({ a: 'one' }));
  faulty.arm({ kind: 'none' });
  directory.values();
  const at = 1 + faulty.operations.findIndex((operation) => operation.startsWith('readFileSync'));
  faulty.arm({ kind: 'error', at, code: 'EACCES' });
  assert.throws(
    () => directory.values(),
    (error: unknown) => error instanceof Problem && error.code === 'publish.write',
  );
  await directory.end();
});

test.run();
