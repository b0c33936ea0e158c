/** What another container that may write to the volume can put there, and what comes of it: nothing outside is touched. */

import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Problem } from '../../src/core/problem.ts';
import type { FileSystem } from '../../src/publish/fs.ts';
import { leftovers, open, publishOnce, shown, snapshot } from '../support/directory.ts';
import { rejects } from '../support/rejects.ts';
import { scratch } from '../support/scratch.ts';

const test = suite('a directory that strangers write to');

test('a set that is a link to elsewhere is none: it is replaced, and nothing elsewhere is read or removed', async () => {
  const dir = scratch();
  const elsewhere = scratch();
  writeFileSync(join(elsewhere, 'a'), 'one');
  symlinkSync(elsewhere, join(dir, '..2026_01_01_00_00_00.abcdef'));
  writeFileSync(join(dir, '..2026_01_01_00_00_00.abcdef.pending'), noteOf('a'));
  symlinkSync('..2026_01_01_00_00_00.abcdef', join(dir, '..data'));
  symlinkSync('..data/a', join(dir, 'a'));
  const directory = await open(dir);
  assert.is(directory.holds(snapshot({ a: '' }).files.map((file) => file.path)), false);
  assert.equal(directory.values(), []);
  assert.is(directory.pendingNotification(), undefined);
  directory.clearPendingNotification();
  assert.is((await directory.publish(snapshot({ a: 'one' }))).kind, 'changed');
  directory.clearPendingNotification();
  await directory.end();
  assert.equal(shown(dir), { a: 'one' });
  assert.is(existsSync(join(dir, '..2026_01_01_00_00_00.abcdef')), false);
  assert.equal(leftovers(dir), []);
  assert.ok(existsSync(join(elsewhere, 'a')));
});

for (const [name, put] of [
  ['paths that leave the directory', (note: string) => writeFileSync(note, noteOf('../../etc/passwd'))],
  ['a path that no publish makes', (note: string) => writeFileSync(note, noteOf('a//b'))],
  ['no text', (note: string) => writeFileSync(note, '')],
  ['a link', (note: string) => symlinkSync(noteElsewhere(), note)],
  ['a pipe', (note: string) => execFileSync('mkfifo', [note])],
  ['a directory', (note: string) => mkdirSync(note)],
] as const) {
  test(`a note of what is untold that holds or is ${name} is no note of ours`, async () => {
    const dir = scratch();
    await publishOnce(dir, snapshot({ a: 'one' }));
    put(join(dir, `${readlinkSync(join(dir, '..data'))}.pending`));
    const directory = await open(dir);
    assert.is(directory.pendingNotification(), undefined);
    await directory.publish(snapshot({ a: 'two' }));
    assert.equal(directory.pendingNotification(), {
      kind: 'changed',
      added: [],
      updated: ['a'],
      removed: [],
    });
    directory.clearPendingNotification();
    await directory.end();
    assert.equal(leftovers(dir), []);
  });
}

function noteOf(path: string): string {
  return JSON.stringify({ added: [], updated: [path], removed: [] });
}

function noteElsewhere(): string {
  const note = join(scratch(), 'note');
  writeFileSync(note, noteOf('a'));
  return note;
}

test('a link put into the place of a file that is being written gets neither its mode nor its owner', async () => {
  const dir = scratch();
  const victim = join(scratch(), 'victim');
  writeFileSync(victim, '');
  chmodSync(victim, 0o600);
  // The stranger is as fast as can be.
  const swapping = new Proxy(fs as FileSystem, {
    get(target, name: keyof FileSystem) {
      if (name !== 'writeFileSync') return target[name];
      return (path: string, content: Uint8Array, options: fs.WriteFileOptions) => {
        target.writeFileSync(path, content, options);
        renameSync(path, `${path}.taken`);
        symlinkSync(victim, path);
      };
    },
  });
  const directory = await open(dir, { fs: swapping });
  const refused = await rejects(directory.publish(snapshot({ a: ['one', 0o666] }), () => undefined));
  assert.match((refused as Problem).message, /^expected the open of ".*\/a" to succeed, got ELOOP$/);
  assert.is(statSync(victim).mode & 0o777, 0o600);
  await directory.end();
});

test.run();
