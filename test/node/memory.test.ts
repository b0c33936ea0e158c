/**
 * The memory limit that inject writes, on a node that has nothing of the program in its page cache: what a container reads
 * first counts as its memory.
 */

import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { secretFile, secretProviderClass, shopPod } from './manifests.ts';
import { container, openScene, type Scene } from './scene.ts';

const test = suite<{ scene: Scene }>('the memory limit');

test.before(async (context) => {
  context.scene = await openScene();
});
test.after(({ scene }) => scene.close());

test('is enough for a first start and for a rotation with a cold page cache', async ({ scene }) => {
  const program = join(scene.node.containerdDirectory, '*overlayfs/snapshots/*/fs/podsecrets/podsecrets');
  await scene.until('a program that is not in the page cache', () => globSync(program).every(isDropped), 60);

  const config = secretProviderClass([secretFile(await scene.putSecret('db', 'first'), 'db')]);
  await scene.apply(scene.inject(shopPod(), config, ['--interval=1s']));
  const status = container(await scene.ready('shop'), 'podsecrets');
  const cached = cachedBytes(scene, status?.containerID ?? '');
  assert.ok(cached > 10e6, `only ${cached} bytes of files count as its memory: the cache was not cold`);

  await scene.putSecret('db', 'second');
  const read = () => scene.exec('shop', 'app', 'cat /mnt/secrets-store/db') === 'second';
  await scene.until('the rotated value', read, 60);
  assert.is(container(await scene.pod('shop'), 'podsecrets')?.restartCount, 0);
});

/** Drops the pages of a file from the page cache; the kernel keeps those that a process has mapped. */
function isDropped(file: string): boolean {
  execFileSync('dd', [`if=${file}`, 'iflag=nocache', 'count=0'], { stdio: 'ignore' });
  const pages = execFileSync('fincore', ['--noheadings', '--bytes', '--output', 'RES', file], {
    encoding: 'utf8',
  });
  return Number(pages) === 0;
}

/** What a container's cgroup counts as pages of files, in bytes; cgroups v1 or v2. */
function cachedBytes({ node }: Scene, containerId: string): number {
  const id = containerId.replace('containerd://', '');
  const [file] = globSync(
    ['/sys/fs/cgroup/memory', '/sys/fs/cgroup'].map((path) =>
      join(path, node.cgroup, '**', id, 'memory.stat'),
    ),
  );
  const [, bytes] = /^(?:total_cache|file) (\d+)$/m.exec(readFileSync(file ?? '', 'utf8')) ?? [];
  return Number(bytes);
}

test.run();
