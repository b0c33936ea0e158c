import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findMemoryCgroup } from '../../src/core/memory-cgroup.ts';
import { scratch } from '../support/scratch.ts';

const test = suite('the memory cgroup of the container');
const MIB = 1_048_576;
const NONE_V1 = '9223372036854771712\n';

/** The cgroup of a process with these memberships, in a tree of cgroups with these files. */
function find(files: Readonly<Record<string, string | number>>, memberships?: string) {
  const root = scratch();
  for (const [path, content] of Object.entries(files)) {
    const [, folder = ''] = /^(.*\/)?[^/]*$/.exec(path) ?? [];
    mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(join(root, path), String(content));
  }
  const own = join(root, 'own');
  if (memberships !== undefined) writeFileSync(own, memberships);
  return findMemoryCgroup(root, own);
}

test('without cgroups, and without a limit, there is none', () => {
  assert.is(find({}), undefined);
  assert.is(find({ 'memory.max': 'max\n' }, '0::/\n'), undefined);
  assert.is(find({ 'memory/memory.limit_in_bytes': NONE_V1 }, '4:memory:/\n'), undefined);
  // The files of another system, mounted where it has no cgroups.
  assert.is(find({ 'memory/memory.limit_in_bytes': '', 'memory/memory.usage_in_bytes': '' }), undefined);
});

test('a container that sees its own cgroup at the root has the limit of version 2 or 1', () => {
  assert.is(find({ 'memory.max': 128 * MIB }, '0::/\n')?.limit, 128 * MIB);
  assert.is(find({ 'memory.max': 128 * MIB }, '0::/kubepods/pod1/c1\n')?.limit, 128 * MIB);
  const v1 = { 'memory/memory.limit_in_bytes': 64 * MIB };
  assert.is(find(v1, '4:memory:/docker/c1\n3:cpu:/docker/c1\n0::/\n')?.limit, 64 * MIB);
  assert.is(find(v1)?.limit, 64 * MIB);
});

test('a container that sees the cgroups of the node has the limit of its own, or of the nearest above', () => {
  const tree = {
    'pod/memory.max': 200 * MIB,
    'pod/a/memory.max': 100 * MIB,
    'pod/b/memory.max': 'max',
  };
  assert.is(find(tree, '0::/pod/a\n')?.limit, 100 * MIB);
  assert.is(find(tree, '0::/pod/b\n')?.limit, 200 * MIB);
  const v1 = { 'memory/memory.limit_in_bytes': NONE_V1, 'memory/c/memory.limit_in_bytes': 80 * MIB };
  assert.is(find(v1, '5:cpu,memory:/c\n0::/\n')?.limit, 80 * MIB);
});

test('pages of files on disks do not count as used, files on a tmpfs do', () => {
  const v2 = {
    'memory.max': 100,
    'memory.current': 90,
    'memory.stat': 'anon 40\nfile 50\nshmem 20\ninactive_file 10\nactive_file 20\n',
  };
  assert.is(find(v2, '0::/\n')?.used(), 60);
  const v1 = {
    'memory/memory.limit_in_bytes': 100,
    'memory/memory.usage_in_bytes': 90,
    'memory/memory.stat': 'inactive_file 1\nactive_file 1\ntotal_inactive_file 10\ntotal_active_file 20\n',
  };
  assert.is(find(v1, '4:memory:/\n')?.used(), 60);
});

test('without statistics the used memory is not known', () => {
  assert.is(find({ 'memory.max': 100, 'memory.current': 90 }, '0::/\n')?.used(), undefined);
});

test.run();
