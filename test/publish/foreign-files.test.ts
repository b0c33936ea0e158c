/** Files that another container with write access puts into the volume: nothing outside of it is changed. */

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
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Problem } from '../../src/core/problem.ts';
import type { FileSystem } from '../../src/publish/fs.ts';
import { readValuesToRedact } from '../../src/publish/values-to-redact.ts';
import { leftovers, open, publishOnce, shown, snapshot } from '../support/directory.ts';
import { rejects } from '../support/rejects.ts';
import { scratch } from '../support/scratch.ts';

const test = suite('a directory that other programs write to');

test('replaces a generation that is a link to another directory, which is neither read nor removed', async () => {
  const dir = scratch();
  const elsewhere = scratch();
  writeFileSync(join(elsewhere, 'a'), 'one');
  symlinkSync(elsewhere, join(dir, '..2026_01_01_00_00_00.abcdef'));
  writeFileSync(join(dir, '..2026_01_01_00_00_00.abcdef.pending'), pendingFileOf('a'));
  symlinkSync('..2026_01_01_00_00_00.abcdef', join(dir, '..data'));
  symlinkSync('..data/a', join(dir, 'a'));
  const directory = await open(dir);
  assert.is(directory.held.holds(snapshot({ a: '' }).files.map((file) => file.path)), false);
  assert.is(readValuesToRedact(fs, directory.held), undefined);
  assert.equal(directory.pendingNotification(), []);
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
  [
    'paths that leave the directory',
    (file: string) => writeFileSync(file, pendingFileOf('../../etc/passwd')),
  ],
  ['a path that no publish makes', (file: string) => writeFileSync(file, pendingFileOf('a//b'))],
  [
    'a generation that is elsewhere',
    (file: string) => writeFileSync(file, JSON.stringify({ files: ['a'], replaced: ['../../etc'] })),
  ],
  ['a list', (file: string) => writeFileSync(file, '["a"]')],
  ['no text', (file: string) => writeFileSync(file, '')],
  ['a link', (file: string) => symlinkSync(pendingFileElsewhere(), file)],
  ['a pipe', (file: string) => execFileSync('mkfifo', [file])],
  ['600 MB of text', (file: string) => sparse(file, 600_000_000)],
  ['a directory', (file: string) => mkdirSync(file)],
] as const) {
  test(`ignores a pending file that contains or is ${name}`, async () => {
    const dir = scratch();
    await publishOnce(dir, snapshot({ a: 'one' }));
    put(join(dir, `${readlinkSync(join(dir, '..data'))}.pending`));
    const directory = await open(dir);
    assert.equal(directory.pendingNotification(), []);
    await directory.publish(snapshot({ a: 'two' }));
    assert.equal(directory.pendingNotification(), ['a']);
    directory.clearPendingNotification();
    await directory.end();
    assert.equal(leftovers(dir), []);
  });
}

function sparse(file: string, size: number): void {
  writeFileSync(file, '');
  truncateSync(file, size);
}

function pendingFileOf(path: string): string {
  return JSON.stringify({ files: [path], replaced: [] });
}

function pendingFileElsewhere(): string {
  const file = join(scratch(), 'elsewhere');
  writeFileSync(file, pendingFileOf('a'));
  return file;
}

test('a directory named ..data_tmp does not block a publish', async () => {
  const dir = scratch();
  await publishOnce(dir, snapshot({ a: 'one' }));
  mkdirSync(join(dir, '..data_tmp', 'below'), { recursive: true });
  await publishOnce(dir, snapshot({ a: 'two' }));
  assert.equal(shown(dir), { a: 'two' });
  assert.equal(leftovers(dir), []);
});

test('the target of a link that replaces a file during its writing gets neither the mode nor the owner', async () => {
  const dir = scratch();
  const victim = join(scratch(), 'victim');
  writeFileSync(victim, '');
  chmodSync(victim, 0o600);
  // The other program replaces the file at the earliest moment.
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
  const rejected = await rejects(directory.publish(snapshot({ a: ['one', 0o666] }), 'never'));
  assert.match((rejected as Problem).message, /^open of ".*\/a" failed \(ELOOP\)$/);
  assert.is(statSync(victim).mode & 0o777, 0o600);
  await directory.end();
});

for (const [name, damage] of [
  [
    'replaced by a link',
    (dir: string) => {
      renameSync(dir, `${dir}.moved`);
      symlinkSync(scratch(), dir);
    },
  ],
  ['removed', (dir: string) => renameSync(dir, `${dir}.moved`)],
  ['left without its ..lock', (dir: string) => unlinkSync(join(dir, '..lock'))],
] as const) {
  test(`publishes nothing to a directory that was ${name} after it was opened`, async () => {
    const dir = join(scratch(), 'files');
    const directory = await open(dir);
    await directory.publish(snapshot({ a: 'one' }));
    damage(dir);
    const problem = (await rejects(directory.publish(snapshot({ a: 'two' })))) as Problem;
    assert.is(problem.code, 'publish.directory');
    assert.match(problem.message, 'since the start');
    await directory.end();
  });
}

test.run();
