/**
 * Whether a directory can be published to: it is in memory, so that no value reaches a disk, or the user allows a disk; and
 * the kernel allows every user to follow the links in it (sticky.ts).
 *
 * If only the last part of the path is missing, the directory is created. If more is missing, the volumeMount was probably
 * forgotten: that is an error, because a directory in the container's own writable layer would never reach the application.
 * The directory is never removed or replaced, because the subPath mount of an application refers to its inode.
 */

import { dirname, resolve } from 'node:path';
import { Problem } from '../core/problem.ts';
import { quote } from '../core/text.ts';
import type { FileSystem } from './fs.ts';
import { composeVolume, refuseSticky, SUBPATH_MOUNTS } from './sticky.ts';

/** The requirements of a directory. */
export interface DirectoryTerms {
  /** Whether a directory that is not in memory is accepted. */
  readonly allowDisk: boolean;
  /** Effective uid of the process, which owns every link it creates. */
  readonly user: number;
  /** Whether the remedy is a change to a pod. */
  readonly inKubernetes: boolean;
}

/** From statfs(2) and linux/magic.h. */
const IN_MEMORY: ReadonlySet<number> = new Set([0x0102_1994 /* tmpfs */, 0x8584_58f6 /* ramfs */]);

/** Names for the error message, of the usual file systems of a forgotten or wrong volume. */
const names: ReadonlyMap<number, string> = new Map([
  [0x794c_7630, "overlayfs, the container's own file system"],
  [0xef53, 'ext4'],
  [0x5846_5342, 'xfs'],
  [0x9123_683e, 'btrfs'],
  [0x6969, 'nfs'],
]);

/** The directory's path, absolute and without links; it exists and can be written to. Throws errors of the file system. */
export function prepareDirectory(fs: FileSystem, dir: string, terms: DirectoryTerms): string {
  const wanted = resolve(dir);
  if (!checkDirectory(fs, wanted, terms)) {
    createDirectory(fs, wanted);
    checkDirectory(fs, wanted, terms);
  }
  return fs.realpathSync(wanted);
}

/**
 * Whether the directory is there already; when it is not, its parent is, and it can be created. Changes nothing. Throws the
 * Problem of a directory that cannot be published to, and errors of the file system.
 */
export function checkDirectory(fs: FileSystem, wanted: string, terms: DirectoryTerms): boolean {
  const existing = nearestExisting(fs, wanted);
  if (!terms.allowDisk) refuseDisk(fs, existing, wanted, terms);
  if (!fs.statSync(existing).isDirectory()) {
    throw new Problem({
      code: 'publish.directory',
      subject: existing,
      message: 'it is a file, not a directory',
      remedy: 'Give a directory with --dir or --config FILE=DIR.',
    });
  }
  const parent = dirname(wanted);
  if (existing !== wanted && existing !== parent) {
    throw new Problem({
      code: 'publish.directory',
      subject: wanted,
      message: `its parent directory ${quote(parent)} does not exist`,
      remedy: `Mount the volume at ${parent}: podsecrets creates only the last part of the path.`,
    });
  }
  if (existing === wanted) refuseSticky(fs, wanted, terms);
  fs.accessSync(existing, fs.constants.W_OK | fs.constants.X_OK);
  return existing === wanted;
}

/** In a volume with fsGroup the new directory inherits the setgid bit and the group: kept, so that files below get the group. */
function createDirectory(fs: FileSystem, dir: string): void {
  try {
    fs.mkdirSync(dir, { mode: 0o755 });
  } catch (error) {
    // Another writer created it at the same moment. The check that follows examines that directory.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw error;
  }
  const mode = fs.statSync(dir).mode & 0o7777;
  const expected = 0o755 | (mode & 0o2000);
  // The umask may have cleared bits, but the application's user must be able to enter.
  if (mode !== expected) fs.chmodSync(dir, expected);
}

/** The path itself, or the nearest directory above it that exists. */
function nearestExisting(fs: FileSystem, path: string): string {
  for (let nearest = path; ; nearest = dirname(nearest)) {
    if (fs.statSync(nearest, { throwIfNoEntry: false }) !== undefined) return nearest;
  }
}

/** Whether the directory is on a file system without a disk. Throws errors of the file system. */
export function isInMemory(fs: FileSystem, directory: string): boolean {
  return IN_MEMORY.has(fs.statfsSync(directory).type);
}

/** Throws the Problem of a directory that is not in memory. */
function refuseDisk(
  fs: FileSystem,
  existing: string,
  wanted: string,
  { user, inKubernetes }: DirectoryTerms,
): void {
  const { type } = fs.statfsSync(existing);
  if (IN_MEMORY.has(type)) return;
  const remedy = inKubernetes
    ? `Add a volume { name: podsecrets, emptyDir: { medium: Memory } } to the pod: ${SUBPATH_MOUNTS}.`
    : `Use a tmpfs: with docker-compose a volume with ${composeVolume(user)}, elsewhere a directory such as /dev/shm/podsecrets.`;
  throw new Problem({
    code: 'publish.filesystem',
    subject: wanted,
    message: `${names.get(type) ?? `a file system of type 0x${type.toString(16)}`} is not in memory: a tmpfs or ramfs is required, so that no value reaches a disk`,
    remedy: `${remedy} Or accept the disk with --allow-disk.`,
  });
}
