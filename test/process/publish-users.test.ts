/**
 * Publishing as the users and in the volumes that pods have: processes that are not root, fsGroup, a small tmpfs. Needs root
 * to become those users, and the right to mount; where that is missing, the same rejections are tested in test/publish.
 */

import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { copyForOthers, isAllowed } from '../support/allowed.ts';
import { type Child, type ChildOptions, startChild } from '../support/child.ts';
import type { PublisherOptions } from '../support/publisher.ts';
import { scratch } from '../support/scratch.ts';

const test = suite('publishing as the users that pods have');

const user = { uid: 65532, gid: 65532 };
const isRoot = copyForOthers('publishing as another user than root', user) !== undefined;
const canGiveGroups = isRoot && isAllowed('fsGroup', ['setpriv', '--reuid=65532', '--groups=5000', 'true']);
const canDropCapabilities =
  isRoot && isAllowed('root without capabilities', ['setpriv', '--bounding-set=-dac_override', 'true']);
const canMount =
  isRoot && isAllowed('a volume', ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs tmpfs /dev/shm']);

/** The user of the image, and one that an application might have; without root, ourselves. */
const nonroot = isRoot ? user : {};
const app = isRoot ? { uid: 1000, gid: 1000 } : {};

const publisher = (orders: PublisherOptions, options?: ChildOptions): Child =>
  startChild('publisher.ts', JSON.stringify(orders), options);

/** Whether this user may read that file, tested in a process of that user. */
function mayRead(path: string, user: { readonly uid?: number; readonly gid?: number }): boolean {
  return spawnSync('cat', [path], user).status === 0;
}

/** A directory as the kubelet makes it for an emptyDir: root's, open to all. */
function emptyDir(mode: number, gid = 0): string {
  const dir = join(scratch(), 'volume');
  mkdirSync(dir);
  if (gid !== 0) chownSync(dir, 0, gid);
  chmodSync(dir, mode);
  return dir;
}

test('one user publishes, another reads', async () => {
  const dir = emptyDir(0o777);
  assert.equal(await publisher({ dir, from: 1, to: 2 }, nonroot).ended(), ['open', 'done']);
  assert.ok(mayRead(join(dir, 'db-password'), app));
  assert.ok(mayRead(join(dir, 'nested/deeper/two'), app));
});

test('rejects a generation that the user cannot remove at once, although nothing changed', async () => {
  const dir = emptyDir(0o777);
  await publisher({ dir, from: 1, to: 1 }, nonroot).ended();
  // The generation of another user, whose lock was removed.
  chmodSync(join(dir, readlinkSync(join(dir, '..data'))), 0o555);
  const lines = await publisher({ dir, from: 1, to: 1 }, nonroot).ended();
  assert.match(lines.at(-1) ?? '', /EACCES at access of .*Run init and sidecar as the same user/);
});

if (canGiveGroups) {
  test('with fsGroup the files have its group, so that mode 0440 is enough for the application', async () => {
    // What the kubelet does for fsGroup: 5000.
    const dir = emptyDir(0o2777, 5000);
    // The container's own group is another: the files have theirs from the directory.
    const wrapper = ['setpriv', '--reuid=65532', '--regid=65532', '--groups=5000'];
    assert.equal(await publisher({ dir, from: 1, to: 2, mode: 0o440 }, { wrapper }).ended(), [
      'open',
      'done',
    ]);
    for (const path of ['db-password', 'nested/one', 'nested/deeper/two']) {
      assert.is(statSync(join(dir, path)).gid, 5000, path);
      assert.ok(mayRead(join(dir, path), { uid: 1000, gid: 5000 }), path);
      assert.not.ok(mayRead(join(dir, path), { uid: 1000, gid: 1000 }), path);
    }
  });
}

if (isRoot) {
  test('the error of --owner without CAP_CHOWN states what to change', async () => {
    const dir = emptyDir(0o777);
    const lines = await publisher({ dir, from: 1, to: 1, owner: { uid: 1000, gid: 1000 } }, nonroot).ended();
    assert.match(lines.at(-1) ?? '', /to 1000:1000 \(EPERM\)".*capability CHOWN/);
  });

  test('a sidecar that runs as another user than init fails at its start, not at the first rotation', async () => {
    const dir = emptyDir(0o777);
    await publisher({ dir, from: 1, to: 1 }).ended();
    const lines = await publisher({ dir, from: 1, to: 1 }, nonroot).ended();
    assert.match(lines.at(-1) ?? '', /"code":"publish\.write".*Run init and sidecar as the same user/);
  });

  test('rejects a directory that the user may not write to before anything else', async () => {
    const lines = await publisher({ dir: emptyDir(0o755), from: 1, to: 1 }, nonroot).ended();
    assert.match(lines.at(-1) ?? '', /EACCES.*fsGroup/);
  });
}

if (canDropCapabilities) {
  test('root with only CAP_CHOWN fails at the first start if it cannot read the files after --owner', async () => {
    const dir = emptyDir(0o777);
    const wrapper = ['setpriv', '--bounding-set=-dac_override,-dac_read_search,-fowner'];
    const orders = { dir, from: 1, to: 1, owner: { uid: 1000, gid: 1000 } };
    const lines = await publisher({ ...orders, mode: 0o400 }, { wrapper }).ended();
    assert.match(lines.at(-1) ?? '', /EACCES at access of .*CAP_DAC_OVERRIDE/);
    assert.equal(await publisher({ ...orders, mode: 0o444 }, { wrapper }).ended(), ['open', 'done']);
  });
}

if (canMount) {
  test('a full tmpfs keeps the old generation, and the error shows how much is missing', async () => {
    const dir = emptyDir(0o777);
    // A set takes 96 KiB; the volume can hold one and a half.
    const script = 'mount -t tmpfs -o size=144k tmpfs "$1" && shift && "$@" && exec "$@"';
    const wrapper = ['unshare', '--mount', 'sh', '-c', script, 'sh', dir];
    const lines = await publisher({ dir, from: 1, to: 2 }, { wrapper }).ended();
    assert.match(lines.at(-1) ?? '', /no space left: needs \d+Ki, \d+Ki free/);
  });

  test('the error of a read-only mount names the wrong line of the pod', async () => {
    const dir = emptyDir(0o777);
    const wrapper = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs -o ro tmpfs "$0" && exec "$@"', dir];
    const lines = await publisher({ dir, from: 1, to: 1 }, { wrapper }).ended();
    assert.match(lines.at(-1) ?? '', /EROFS.*readOnly/);
  });
}

test.run();
