/** Directories in which the kernel may keep the application from following our links. */

import * as fs from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Problem, problemLine } from '../../src/core/problem.ts';
import type { DirectoryTerms } from '../../src/publish/filesystem-check.ts';
import type { FileSystem } from '../../src/publish/fs.ts';
import { inspectDirectory } from '../../src/publish/inspect.ts';
import { open, publishOnce, shown, snapshot } from '../support/directory.ts';
import { rejects } from '../support/rejects.ts';
import { scratch } from '../support/scratch.ts';

const test = suite('sticky directories');

const image: DirectoryTerms = { allowDisk: false, user: 65_532, inKubernetes: true };

/** A file system in which the directory has this owner, and is a mount point or not. */
function owned(dir: string, uid: number, isMountPoint = true): FileSystem {
  return {
    ...fs,
    statSync: ((path: string, options: object) => {
      const stat = fs.statSync(path, options);
      return path === dir ? Object.assign(stat, { uid, dev: stat.dev + (isMountPoint ? 1 : 0) }) : stat;
    }) as FileSystem['statSync'],
  };
}

function inspected(dir: string, terms: DirectoryTerms, system?: FileSystem): Problem | undefined {
  try {
    inspectDirectory(dir, terms, system);
    return undefined;
  } catch (error) {
    assert.instance(error, Problem);
    return error as Problem;
  }
}

/** The problem of publishing and of doctor, which is the same. */
async function rejection(dir: string, terms: DirectoryTerms, system: FileSystem): Promise<Problem> {
  const problem = (await rejects(open(dir, { ...terms, fs: system }))) as Problem;
  assert.is(problem.code, 'publish.sticky');
  assert.is(problem.exitCode, 6);
  assert.is(problem.retry, false);
  assert.is(problem.subject, dir);
  assert.is(inspected(dir, terms, system)?.message, problem.message);
  assert.is(inspected(dir, terms, system)?.remedy, problem.remedy);
  assert.equal(fs.readdirSync(dir), []);
  assert.ok(problemLine(problem).endsWith('[publish.sticky]'), 'the line is cut');
  return problem;
}

function sticky(): string {
  const dir = scratch();
  fs.chmodSync(dir, 0o1777);
  return dir;
}

test('rejects a volume as the kubelet mounts it, with the subPath form as the remedy', async () => {
  const dir = sticky();
  const { message, remedy } = await rejection(dir, image, owned(dir, 0));
  assert.is(
    message,
    'the directory is sticky, world-writable and owned by uid 0: with fs.protected_symlinks the kernel does not let the application follow the links of uid 65532 in it',
  );
  assert.is(
    remedy,
    'Publish to a directory below the volume: mount it whole at /mnt/podsecrets in this container, publish to /mnt/podsecrets/files (--dir, or --config FILE=DIR), which podsecrets creates, and mount it in the application with subPath: files.',
  );
});

test('rejects a directory that the kubelet created for an earlier subPath mount, with the order of initContainers as the remedy', async () => {
  const dir = join(scratch(), 'files');
  fs.mkdirSync(dir);
  fs.chmodSync(dir, 0o1777);
  const { remedy } = await rejection(dir, image, owned(dir, 0, false));
  assert.match(remedy, /^podsecrets must be first in initContainers: .* recreate the pod\.$/);
});

test('rejects a directory below the volume that another user created, with the subPath form as the remedy', async () => {
  const dir = sticky();
  const { remedy } = await rejection(dir, image, owned(dir, 1000, false));
  assert.match(remedy, /^Publish to a directory below the volume: /);
});

test('outside Kubernetes the remedy is the driver_opts of the volume, or a directory below', async () => {
  const dir = sticky();
  for (const isMountPoint of [true, false]) {
    const { remedy } = await rejection(dir, { ...image, inKubernetes: false }, owned(dir, 0, isMountPoint));
    assert.is(
      remedy,
      `With docker-compose, give the volume driver_opts { type: tmpfs, device: tmpfs, o: "size=16m,mode=0755,uid=65532,gid=65532" } and recreate it; elsewhere, publish to a directory below, which podsecrets creates: --dir ${dir}/files.`,
    );
  }
});

test('--allow-disk does not allow such a directory', async () => {
  const dir = sticky();
  await rejection(dir, { ...image, allowDisk: true }, owned(dir, 0));
});

test('rejects a link to such a directory too', async () => {
  const dir = sticky();
  const link = join(scratch(), 'link');
  fs.symlinkSync(dir, link);
  assert.is(inspected(link, { ...image, user: 1 + (process.geteuid?.() ?? 0) })?.code, 'publish.sticky');
});

test("applies the kernel's rule: sticky, world-writable, and of another user", async () => {
  for (const [mode, owner, rejected] of [
    [0o1777, 0, true],
    [0o1777, 1000, true],
    // With fsGroup.
    [0o3777, 0, true],
    [0o1002, 0, true],
    [0o1777, 65_532, false],
    [0o0777, 0, false],
    [0o1775, 0, false],
    [0o0755, 65_532, false],
  ] as const) {
    const dir = scratch();
    fs.chmodSync(dir, mode);
    // Permissions are not tested here, but with the other errors of the file system.
    const system = { ...owned(dir, owner), accessSync: () => {} };
    assert.is(
      inspected(dir, image, system)?.code,
      rejected ? 'publish.sticky' : undefined,
      `${mode.toString(8)} of ${owner}`,
    );
  }
});

test('root publishes to a sticky directory of root', async () => {
  const dir = sticky();
  const root = { ...image, user: 0 };
  await publishOnce(dir, snapshot({ a: '1' }), { ...root, fs: owned(dir, 0) });
  assert.equal(shown(dir), { a: '1' });
});

test('a directory below a sticky volume is created, and doctor reports that it will be', async () => {
  const volume = sticky();
  const dir = join(volume, 'files');
  const system = owned(volume, 0);
  assert.is(inspectDirectory(dir, image, system).exists, false);
  assert.equal(fs.readdirSync(volume), []);
  await publishOnce(dir, snapshot({ a: '1' }), { fs: system });
  assert.equal(shown(dir), { a: '1' });
  assert.is(inspectDirectory(dir, { ...image, user: process.geteuid?.() ?? 0 }, system).exists, true);
});

test.run();
