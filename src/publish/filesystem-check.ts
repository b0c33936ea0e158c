/**
 * Whether a directory can be published to: it is in memory, so that no value reaches a disk, or the user allows a disk; and
 * the kernel allows every user to follow the links in it (`rejectSticky`).
 *
 * If only the last part of the path is missing, the directory is created. If more is missing, the volumeMount was probably
 * forgotten: that is an error, because a directory in the container's own writable layer would never reach the application.
 * The directory is never removed or replaced, because the subPath mount of an application refers to its inode.
 */

import { dirname, resolve } from 'node:path';
import { Problem } from '../core/problem.ts';
import { quote } from '../core/text.ts';
import type { FileSystem } from './fs.ts';

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
  if (!terms.allowDisk) rejectDisk(fs, existing, wanted, terms);
  if (!fs.statSync(existing).isDirectory()) {
    throw new Problem({
      code: 'publish.directory',
      subject: existing,
      message: 'it is a file, not a directory',
      remedy: 'Use a directory with --dir or --config FILE=DIR.',
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
  if (existing === wanted) rejectSticky(fs, wanted, terms);
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
function rejectDisk(
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

const STICKY_AND_WORLD_WRITABLE = 0o1002;

/**
 * Throws the Problem of a directory in which the kernel may prevent the application from opening the files, unless `user` owns it.
 * `user`: effective uid of the process.
 *
 * Each file that an application opens is a symbolic link of podsecrets. With the sysctl fs.protected_symlinks, which is on in most
 * distributions, the kernel follows a link in a sticky, world-writable directory only for the owner of the link, or if the directory
 * has the owner of the link. So root is rejected too. A tmpfs that is mounted without options, such as an `emptyDir` of medium
 * Memory, is such a directory, and belongs to root. The sysctl itself is not read: it belongs to the node, and the next node may
 * differ.
 */
function rejectSticky(fs: FileSystem, dir: string, { user, inKubernetes }: DirectoryTerms): void {
  const { mode, uid, dev } = fs.statSync(dir);
  if ((mode & STICKY_AND_WORLD_WRITABLE) !== STICKY_AND_WORLD_WRITABLE || uid === user) return;
  // A mount point is on another device than its parent. Not dirname: `dir` may be a link.
  const isBelowVolume = dev === fs.statSync(`${dir}/..`).dev;
  throw new Problem({
    code: 'publish.sticky',
    subject: dir,
    message: `the directory is sticky, world-writable and owned by uid ${uid}: with fs.protected_symlinks the kernel does not let the application follow the links of uid ${user} in it`,
    remedy: remedy(dir, user, inKubernetes, uid === 0 && isBelowVolume),
  });
}

function remedy(dir: string, user: number, inKubernetes: boolean, isMadeForSubPath: boolean): string {
  if (!inKubernetes)
    return `With docker-compose, give the volume ${composeVolume(user)} and recreate it; elsewhere, publish to a directory below, which podsecrets creates: --dir ${dir}/files.`;
  if (isMadeForSubPath)
    return 'podsecrets must be first in initContainers: the kubelet created this directory for the subPath mount of a container that started earlier. Move podsecrets there and recreate the pod.';
  return `Publish to a directory below the volume: ${SUBPATH_MOUNTS}.`;
}

/** How the containers of a pod mount the volume. */
const SUBPATH_MOUNTS =
  'mount it whole at /mnt/podsecrets in this container, publish to /mnt/podsecrets/files (--dir, or --config FILE=DIR), which podsecrets creates, and mount it in the application with subPath: files';

/** The options of a volume in docker-compose.yaml, for this user. */
function composeVolume(user: number): string {
  return `driver_opts { type: tmpfs, device: tmpfs, o: "size=16m,mode=0755,uid=${user},gid=${user}" }`;
}
