/**
 * Makes sure that values stay in memory: the directory must be on a tmpfs or a ramfs, or the user must have said otherwise.
 *
 * A directory that is missing is made, but only below a mount that passes: a forgotten volumeMount is then an error, and not
 * a directory in the container's own writable layer, where the application would never see it.
 */

import { constants } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { Problem } from '../../core/problem.ts';
import type { FileSystem } from './file-system.ts';

/** From statfs(2) and linux/magic.h. */
const IN_MEMORY: ReadonlySet<number> = new Set([0x0102_1994 /* tmpfs */, 0x8584_58f6 /* ramfs */]);

/** Names for the error, of those that a forgotten or a wrong volume shows. */
const names: ReadonlyMap<number, string> = new Map([
  [0x794c_7630, "overlayfs, the container's own file system"],
  [0xef53, 'ext4'],
  [0x5846_5342, 'xfs'],
  [0x9123_683e, 'btrfs'],
  [0x6969, 'nfs'],
]);

/** The directory's path, absolute and without links; it exists and can be written to. Errors of the file system pass. */
export function prepareDirectory(fs: FileSystem, dir: string, allowDisk: boolean): string {
  const wanted = resolve(dir);
  const existing = nearestExisting(fs, wanted);
  if (!allowDisk) refuseDisk(fs, existing, wanted);
  let made = existing;
  for (const name of relative(existing, wanted).split('/').filter(Boolean)) {
    made = join(made, name);
    fs.mkdirSync(made);
    // Not through the mode of the creation, from which the umask takes away: the application's user must pass.
    fs.chmodSync(made, 0o755);
  }
  if (!fs.statSync(wanted).isDirectory()) {
    throw new Problem({
      code: 'publish.directory',
      subject: wanted,
      message: 'expected a directory, got a file',
      remedy: 'Give a directory with --dir or --config FILE=DIR.',
    });
  }
  fs.accessSync(wanted, constants.W_OK | constants.X_OK);
  return fs.realpathSync(wanted);
}

/** The path itself, or the nearest directory above it that is there. */
export function nearestExisting(fs: FileSystem, path: string): string {
  for (let nearest = path; ; nearest = dirname(nearest)) {
    if (fs.statSync(nearest, { throwIfNoEntry: false }) !== undefined) return nearest;
  }
}

/** Whether the directory is on a file system that has no disk. Errors of the file system pass. */
export function isInMemory(fs: FileSystem, directory: string): boolean {
  return IN_MEMORY.has(fs.statfsSync(directory).type);
}

/** Throws the Problem of a directory that is not in memory. */
export function refuseDisk(fs: FileSystem, existing: string, wanted: string): void {
  const { type } = fs.statfsSync(existing);
  if (IN_MEMORY.has(type)) return;
  throw new Problem({
    code: 'publish.filesystem',
    subject: wanted,
    message: `expected a tmpfs or ramfs, so that no value reaches a disk, got ${names.get(type) ?? `a file system of type 0x${type.toString(16)}`}`,
    remedy: `Add a volume { name: secrets, emptyDir: { medium: Memory } } to the pod and { name: secrets, mountPath: ${wanted} } to the volumeMounts, or accept the disk with --allow-disk.`,
  });
}
