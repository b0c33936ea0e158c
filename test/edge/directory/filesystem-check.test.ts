/** Where publishing is allowed, and what is said where it is not. */

import * as fs from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Problem } from '../../../src/core/problem.ts';
import type { FileSystem } from '../../../src/edge/directory/file-system.ts';
import { open, publishOnce, shown, snapshot } from '../../support/directory.ts';
import { rejects } from '../../support/rejects.ts';
import { scratch } from '../../support/scratch.ts';

const test = suite('the place to publish to');

/** A file system of another type than the tmpfs that the tests run on. */
function ofType(type: number): FileSystem {
  return {
    ...fs,
    statfsSync: (() => ({ type, bavail: 0, bsize: 4096 })) as unknown as FileSystem['statfsSync'],
  };
}

const overlay = ofType(0x794c7630);

test('a tmpfs will do, as it is', async () => {
  const directory = await open(scratch());
  assert.equal(directory.warnings, []);
  await directory.close();
});

test('a ramfs will do', async () => {
  await (await open(scratch(), { fs: ofType(0x858458f6) })).close();
});

test('a disk is refused with the volume to add, and nothing is made', async () => {
  for (const [type, name] of [
    [0x794c7630, "overlayfs, the container's own file system"],
    [0xef53, 'ext4'],
    [0x1234, 'a file system of type 0x1234'],
  ] as const) {
    const dir = scratch();
    for (const wanted of [dir, join(dir, 'not/there/yet')]) {
      const problem = (await rejects(open(wanted, { fs: ofType(type) }))) as Problem;
      assert.is(problem.code, 'publish.filesystem');
      assert.is(problem.subject, wanted);
      assert.is(problem.message, `expected a tmpfs or ramfs, so that no value reaches a disk, got ${name}`);
      assert.ok(problem.remedy.includes('emptyDir: { medium: Memory }'), problem.remedy);
      assert.ok(problem.remedy.includes(`mountPath: ${wanted} }`), problem.remedy);
    }
    assert.equal(fs.readdirSync(dir), []);
  }
});

test('a disk will do for whoever says so, and the directory is made', async () => {
  const dir = join(scratch(), 'not/there/yet');
  await publishOnce(dir, snapshot({ a: '1' }), { fs: overlay, allowDisk: true });
  assert.equal(shown(dir), { a: '1' });
});

test('a directory below a tmpfs is made when it is missing', async () => {
  const dir = join(scratch(), 'one', 'two');
  await publishOnce(dir, snapshot({ a: '1' }));
  assert.equal(shown(dir), { a: '1' });
});

test('links on the way are followed once', async () => {
  const dir = scratch();
  fs.mkdirSync(join(dir, 'real'));
  fs.symlinkSync('real', join(dir, 'link'));
  const directory = await open(join(dir, 'link'));
  assert.is(directory.path, join(dir, 'real'));
  await directory.close();
});

test('a file in its place is refused', async () => {
  const dir = scratch();
  fs.writeFileSync(join(dir, 'file'), '');
  const problem = (await rejects(open(join(dir, 'file')))) as Problem;
  assert.is(problem.code, 'publish.directory');
  const below = (await rejects(open(join(dir, 'file', 'below')))) as Problem;
  assert.is(below.code, 'publish.write');
  assert.match(below.message, /ENOTDIR/);
});

test('a directory with the sticky bit that belongs to somebody else brings a warning', async () => {
  const dir = scratch();
  fs.chmodSync(dir, 0o1777);
  const own = await open(dir);
  assert.equal(own.warnings, []);
  await own.close();
  const theirs: FileSystem = {
    ...fs,
    statSync: ((path: string, options: object) => {
      const stat = fs.statSync(path, options);
      return path === dir ? Object.assign(stat, { uid: stat.uid + 1 }) : stat;
    }) as FileSystem['statSync'],
  };
  const foreign = await open(dir, { fs: theirs });
  assert.equal(
    foreign.warnings.map(({ code, subject }) => [code, subject]),
    [['publish.directory', dir]],
  );
  await foreign.close();
});

test.run();
