/**
 * The size of a snapshot or a generation, and the free space of the volume.
 */

import { join } from 'node:path';
import { parentsOf } from '../core/file-path.ts';
import { topLevelNames } from './diff.ts';
import type { FileSystem } from './fs.ts';
import type { Snapshot } from './snapshot.ts';

/** Bytes and inodes: each file, directory and link takes one. */
export interface Space {
  readonly bytes: number;
  readonly inodes: number;
}

/** Of a volume; Infinity for a volume without limits. */
export interface VolumeSpace {
  readonly size: Space;
  readonly free: Space;
}

/** Files take whole pages of 4 KiB in a tmpfs. */
const PAGE = 4096;

/** What a publish of the snapshot takes. */
export function snapshotSpace(snapshot: Snapshot): Space {
  const { files } = snapshot;
  const pages = files.map(({ content }) => Math.ceil(content.reveal().length / PAGE));
  const directories = new Set(files.flatMap(({ path }) => parentsOf(path)));
  // The generation, its pending file and the link to it are three more; each name has a link.
  const inodes = 3 + files.length + directories.size + topLevelNames(snapshot).size;
  return { bytes: pages.reduce((sum, count) => sum + count * PAGE, 0), inodes };
}

/** What everything below a path takes. */
export function spaceBelow(fs: FileSystem, path: string): Space {
  let [bytes, inodes] = [0, 1];
  for (const entry of fs.readdirSync(path, { withFileTypes: true, recursive: true })) {
    inodes++;
    if (entry.isFile())
      bytes += Math.ceil(fs.lstatSync(join(entry.parentPath, entry.name)).size / PAGE) * PAGE;
  }
  return { bytes, inodes };
}

/** Of the volume at a path. A tmpfs without limits, and a ramfs, give zeros. */
export function volumeSpace(fs: FileSystem, path: string): VolumeSpace {
  const { blocks, bavail, bsize, files, ffree } = fs.statfsSync(path);
  const hasBytes = blocks > 0;
  const hasInodes = files > 0;
  return {
    size: {
      bytes: hasBytes ? blocks * bsize : Number.POSITIVE_INFINITY,
      inodes: hasInodes ? files : Number.POSITIVE_INFINITY,
    },
    free: {
      bytes: hasBytes ? bavail * bsize : Number.POSITIVE_INFINITY,
      inodes: hasInodes ? ffree : Number.POSITIVE_INFINITY,
    },
  };
}

/** Whether something of this size fits. */
export function fits(needed: Space, into: Space): boolean {
  return needed.bytes <= into.bytes && needed.inodes <= into.inodes;
}
