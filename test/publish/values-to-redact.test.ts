/** The values that the output of a hook must not show, and how long a replaced generation stays for them. */

import * as fs from 'node:fs';
import { readlinkSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { FileSystem } from '../../src/publish/fs.ts';
import { directoryIdentity } from '../../src/publish/identity.ts';
import { readValuesToRedact } from '../../src/publish/values-to-redact.ts';
import { generationsIn, leftovers, open, publishOnce, shown, snapshot } from '../support/directory.ts';
import { scratch } from '../support/scratch.ts';

const test = suite('values to redact');

function texts(dir: string, identity = directoryIdentity(fs, dir)): readonly string[] | undefined {
  return readValuesToRedact(fs, { path: dir, identity })
    ?.map((value) => Buffer.from(value.reveal()).toString())
    .sort();
}

/** The real file system, in a volume of so many bytes and inodes. */
function volumeOf(bytes: number, inodes = 1000): FileSystem {
  const statfsSync = (path: string) => ({
    ...fs.statfsSync(path),
    bsize: 4096,
    blocks: bytes / 4096,
    bavail: bytes / 4096,
    files: inodes,
    ffree: inodes,
  });
  return { ...fs, statfsSync: statfsSync as FileSystem['statfsSync'] };
}

test('the replaced generation stays until the application was notified, also after a restart', async () => {
  const dir = scratch();
  await publishOnce(dir, snapshot({ a: 'one', 'b/c': 'same' }));
  assert.equal(texts(dir), ['one', 'same']);
  const first = await open(dir);
  await first.publish(snapshot({ a: 'two', 'b/c': 'same' }));
  await first.clock.advance(3_600_000);
  assert.equal(texts(dir), ['one', 'same', 'same', 'two']);
  await first.end();
  assert.equal(texts(dir), ['one', 'same', 'same', 'two']);
  const next = await open(dir);
  await next.publish(snapshot({ a: 'two', 'b/c': 'same' }));
  await next.clock.advance(1000);
  assert.equal(texts(dir), ['one', 'same', 'same', 'two']);
  next.clearPendingNotification();
  await next.end();
  assert.equal(texts(dir), ['same', 'two']);
  assert.equal(leftovers(dir), []);
});

test('without a notifier that shows output, or without a notification, the replaced generation is removed after a second', async () => {
  for (const [keepReplaced, announce] of [
    [false, 'always'],
    [true, 'never'],
  ] as const) {
    const dir = scratch();
    await publishOnce(dir, snapshot({ a: 'one' }));
    const directory = await open(dir, { keepReplaced });
    await directory.publish(snapshot({ a: 'two' }), announce);
    assert.is(generationsIn(dir).length, 2);
    await directory.clock.advance(1000);
    assert.is(generationsIn(dir).length, 1);
    assert.equal(texts(dir), ['two']);
    await directory.end();
  }
});

test('after two changes without a delivery one generation is left, and the values are unavailable', async () => {
  const dir = scratch();
  await publishOnce(dir, snapshot({ a: 'one' }));
  const directory = await open(dir);
  await directory.publish(snapshot({ a: 'two' }));
  await directory.clock.advance(5000);
  await directory.publish(snapshot({ a: 'three' }));
  assert.is(texts(dir), undefined);
  // All four are there for a second, and only the two newest of the replaced ones are stored by name.
  await directory.publish(snapshot({ a: 'four' }));
  assert.is(generationsIn(dir).length, 4);
  assert.is(texts(dir), undefined);
  await directory.clock.advance(1000);
  assert.is(generationsIn(dir).length, 1);
  assert.is(texts(dir), undefined);
  await directory.publish(snapshot({ a: 'five' }));
  await directory.clock.advance(1000);
  assert.is(texts(dir), undefined);
  directory.clearPendingNotification();
  assert.equal(texts(dir), ['five']);
  await directory.end();
});

test('the replaced generation is removed after a second if both take more than half of the volume, in bytes or in inodes', async () => {
  const text = 'x'.repeat(8 * 4096);
  for (const [volume, kept] of [
    [volumeOf(32 * 4096), true],
    [volumeOf(31 * 4096), false],
    [volumeOf(1e9, 8), true],
    [volumeOf(1e9, 7), false],
    // A tmpfs without limits.
    [volumeOf(0, 0), true],
  ] as const) {
    const dir = scratch();
    await publishOnce(dir, snapshot({ a: text }), { fs: volume });
    const directory = await open(dir, { fs: volume });
    await directory.publish(snapshot({ a: text.replace('x', 'y') }));
    await directory.clock.advance(1000);
    assert.is(generationsIn(dir).length, kept ? 2 : 1);
    assert.is(texts(dir) === undefined, !kept);
    await directory.end();
  }
});

test('publishes a generation that does not fit together with the replaced generation', async () => {
  const dir = scratch();
  let [bavail, ffree] = [1000, 1000];
  const statfsSync = (path: string) => ({ ...fs.statfsSync(path), bsize: 4096, bavail, ffree });
  const volume = { ...fs, statfsSync: statfsSync as unknown as FileSystem['statfsSync'] };
  for (const full of [{ bavail: 1 }, { ffree: 3 }]) {
    [bavail, ffree] = [1000, 1000];
    const directory = await open(dir, { fs: volume });
    await directory.publish(snapshot({ a: 'one' }));
    directory.clearPendingNotification();
    await directory.publish(snapshot({ a: 'two' }));
    await directory.clock.advance(Date.now());
    assert.is(generationsIn(dir).length, 2);
    ({ bavail = bavail, ffree = ffree } = { ...full } as { bavail?: number; ffree?: number });
    await directory.writer.publish(snapshot({ a: 'x'.repeat(4097) }), { announce: 'always' });
    assert.equal(Object.keys(shown(dir)), ['a']);
    assert.is(generationsIn(dir).length, 2);
    assert.is(texts(dir), undefined);
    directory.clearPendingNotification();
    await directory.end();
  }
});

test('values that another container replaced by a huge file or a link are unavailable', async () => {
  const damages: readonly ((generation: string) => void)[] = [
    (generation) => truncateSync(join(generation, 'a'), 600_000_000),
    (generation) => {
      rmSync(join(generation, 'a'));
      fs.symlinkSync('/etc/hostname', join(generation, 'a'));
    },
    (generation) => {
      renameSync(generation, `${generation}-moved`);
      fs.symlinkSync(`${generation}-moved`, generation);
    },
  ];
  for (const damage of damages) {
    const dir = scratch();
    await publishOnce(dir, snapshot({ a: 'one' }));
    const directory = await open(dir);
    await directory.publish(snapshot({ a: 'two' }));
    const current = readlinkSync(join(dir, '..data'));
    const replaced = generationsIn(dir).find((name) => name !== current);
    damage(join(dir, replaced ?? ''));
    assert.is(texts(dir), undefined);
    await directory.end();
  }
});

test('values of a directory that was replaced or emptied since are unavailable', async () => {
  const damages: readonly ((dir: string) => void)[] = [
    (dir) => {
      renameSync(dir, `${dir}-moved`);
      fs.symlinkSync(`${dir}-moved`, dir);
    },
    (dir) => {
      renameSync(dir, `${dir}-moved`);
      fs.cpSync(`${dir}-moved`, dir, { recursive: true, verbatimSymlinks: true });
    },
    (dir) => rmSync(join(dir, '..lock')),
    (dir) => rmSync(join(dir, '..data')),
    (dir) => rmSync(join(dir, readlinkSync(join(dir, '..data'))), { recursive: true }),
  ];
  for (const damage of damages) {
    const dir = scratch();
    await publishOnce(dir, snapshot({ a: 'one' }));
    const identity = directoryIdentity(fs, dir);
    assert.equal(texts(dir, identity), ['one']);
    damage(dir);
    assert.is(texts(dir, identity), undefined, String(damage));
  }
});

test.run();
