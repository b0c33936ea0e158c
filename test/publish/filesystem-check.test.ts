/** Directories that can be published to, and the problems of the others. */

import * as fs from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Problem } from '../../src/core/problem.ts';
import type { FileSystem } from '../../src/publish/fs.ts';
import { open, publishOnce, shown, snapshot } from '../support/directory.ts';
import { rejects } from '../support/rejects.ts';
import { scratch } from '../support/scratch.ts';

const test = suite('the directory to publish to');

/** A file system of another type than the tmpfs that the tests run on. */
function ofType(type: number): FileSystem {
  return {
    ...fs,
    statfsSync: (() => ({ type, bavail: 0, bsize: 4096 })) as unknown as FileSystem['statfsSync'],
  };
}

function modeOf(path: string): string {
  return (fs.statSync(path).mode & 0o7777).toString(8);
}

const overlay = ofType(0x794c7630);

for (const [name, type] of [
  ['tmpfs', 0x01021994],
  ['ramfs', 0x858458f6],
] as const) {
  test(`publishes to a ${name}`, async () => {
    const dir = scratch();
    await publishOnce(dir, snapshot({ a: '1' }), { fs: ofType(type) });
    assert.equal(shown(dir), { a: '1' });
  });
}

test('rejects a disk, names the volume to add, and creates nothing', async () => {
  const pod =
    'emptyDir: { medium: Memory } } to the pod: mount it whole at /mnt/podsecrets in this container';
  const compose = 'o: "size=16m,mode=0755,uid=65532,gid=65532" }, elsewhere a directory such as /dev/shm';
  for (const [type, name, inKubernetes, remedy] of [
    [0x794c7630, "overlayfs, the container's own file system", true, pod],
    [0xef53, 'ext4', false, compose],
    [0x1234, 'a file system of type 0x1234', true, pod],
  ] as const) {
    const dir = scratch();
    for (const wanted of [dir, join(dir, 'not/there/yet')]) {
      const terms = { fs: ofType(type), user: 65_532, inKubernetes };
      const problem = (await rejects(open(wanted, terms))) as Problem;
      assert.is(problem.code, 'publish.filesystem');
      assert.is(problem.subject, wanted);
      assert.is(
        problem.message,
        `${name} is not in memory: a tmpfs or ramfs is required, so that no value reaches a disk`,
      );
      assert.ok(problem.remedy.includes(remedy), problem.remedy);
      assert.ok(problem.remedy.endsWith('Or accept the disk with --allow-disk.'), problem.remedy);
    }
    assert.equal(fs.readdirSync(dir), []);
  }
});

test('--allow-disk publishes to a disk', async () => {
  const dir = join(scratch(), 'files');
  await publishOnce(dir, snapshot({ a: '1' }), { fs: overlay, allowDisk: true });
  assert.equal(shown(dir), { a: '1' });
});

test('creates a directory of which only the last part is missing with mode 0755, under any umask', async () => {
  for (const umask of [0o022, 0o077, 0o777, 0]) {
    const dir = join(scratch(), 'files');
    const before = process.umask(umask);
    try {
      await publishOnce(dir, snapshot({ a: '1' }));
    } finally {
      process.umask(before);
    }
    assert.equal(shown(dir), { a: '1' });
    assert.is(modeOf(dir), '755', `umask ${umask.toString(8)}`);
  }
});

test('a created directory keeps the setgid bit of its parent, and not the sticky bit', async () => {
  for (const umask of [0o022, 0o077]) {
    const volume = scratch();
    fs.chmodSync(volume, 0o3777);
    const dir = join(volume, 'files');
    const before = process.umask(umask);
    try {
      await publishOnce(dir, snapshot({ a: '1' }));
    } finally {
      process.umask(before);
    }
    assert.is(modeOf(dir), '2755', `umask ${umask.toString(8)}`);
    assert.is(fs.statSync(dir).gid, fs.statSync(volume).gid);
  }
});

test('rejects a directory whose parent is missing too, and creates nothing', async () => {
  for (const allowDisk of [false, true]) {
    const dir = scratch();
    const problem = (await rejects(open(join(dir, 'one/two'), { allowDisk }))) as Problem;
    assert.is(problem.code, 'publish.directory');
    assert.is(problem.subject, join(dir, 'one/two'));
    assert.is(problem.message, `its parent directory "${dir}/one" does not exist`);
    assert.match(problem.remedy, `Mount the volume at ${dir}/one:`);
    assert.equal(fs.readdirSync(dir), []);
  }
});

test('uses a directory that another writer creates at the same moment', async () => {
  const dir = join(scratch(), 'files');
  const overtaken: FileSystem = {
    ...fs,
    mkdirSync: ((path: string, options: object) => {
      if (path === dir && !fs.existsSync(dir)) fs.mkdirSync(dir, 0o700);
      return fs.mkdirSync(path, options);
    }) as FileSystem['mkdirSync'],
  };
  await publishOnce(dir, snapshot({ a: '1' }), { fs: overtaken });
  assert.equal(shown(dir), { a: '1' });
  assert.is(modeOf(dir), '700', 'what another made keeps its mode');
});

test('reports the free space of a volume that is too full for the directory itself', async () => {
  const full: FileSystem = {
    ...fs,
    mkdirSync: ((path: string) => {
      throw Object.assign(new Error('full'), { code: 'ENOSPC', syscall: 'mkdir', path });
    }) as FileSystem['mkdirSync'],
  };
  const problem = (await rejects(open(join(scratch(), 'files'), { fs: full }))) as Problem;
  assert.is(problem.code, 'publish.write');
  assert.match(problem.message, /no space left: needs 0Ki, \S+ free/);
});

test('an existing directory is neither replaced nor changed', async () => {
  const dir = join(scratch(), 'files');
  fs.mkdirSync(dir);
  fs.chmodSync(dir, 0o750);
  const { ino } = fs.statSync(dir);
  await publishOnce(dir, snapshot({ a: '1', b: '1' }));
  await publishOnce(dir, snapshot({ a: '2' }));
  assert.is(fs.statSync(dir).ino, ino);
  assert.is(modeOf(dir), '750');
});

test('resolves links in the path once', async () => {
  const dir = scratch();
  fs.mkdirSync(join(dir, 'real'));
  fs.symlinkSync('real', join(dir, 'link'));
  const directory = await open(join(dir, 'link'));
  assert.is(directory.path, join(dir, 'real'));
  await directory.close();
});

test('rejects a file at the path, or as a part of the path', async () => {
  const file = join(scratch(), 'file');
  fs.writeFileSync(file, '');
  for (const wanted of [file, join(file, 'below'), join(file, 'far/below')]) {
    const problem = (await rejects(open(wanted))) as Problem;
    assert.is(problem.code, 'publish.directory');
    assert.is(problem.subject, file);
    assert.is(problem.message, 'it is a file, not a directory');
  }
});

test.run();
