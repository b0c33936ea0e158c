/**
 * Whether a path still leads to the directory that was locked.
 *
 * The directory can be unmounted or replaced while the program runs. A value must then not go to a disk below the volume, nor
 * to a directory whose lock another process may hold. The process that publishes is not the one that holds the
 * lock, so the identity is a text that can be passed between them.
 */

import { join } from 'node:path';
import { Problem } from '../core/problem.ts';
import type { FileSystem } from './fs.ts';
import { LOCK } from './layout.ts';

/** Device and inode of the directory and of its lock file; differs once either was replaced, removed or unmounted. */
export function directoryIdentity(fs: FileSystem, dir: string): string {
  return [dir, join(dir, LOCK)]
    .map((path) => fs.lstatSync(path, { throwIfNoEntry: false }))
    .map((stat) => `${stat?.dev}:${stat?.ino}`)
    .join();
}

/** Throws a Problem if the path leads elsewhere than when `identity` was read. */
export function checkDirectoryIdentity(fs: FileSystem, dir: string, identity: string): void {
  if (directoryIdentity(fs, dir) === identity) return;
  throw new Problem({
    code: 'publish.directory',
    subject: dir,
    message: 'the directory or its ..lock was replaced, removed or unmounted since the start',
    remedy: 'Restart this container, and leave the directory to podsecrets.',
  });
}
