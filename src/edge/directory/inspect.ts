/**
 * What `init` would find where it is to publish, looked at without making, locking or writing anything.
 *
 * For `doctor`, which also runs beside a sidecar that holds the directory.
 */

import * as nodeFs from 'node:fs';
import { constants } from 'node:fs';
import { resolve } from 'node:path';
import { explain } from './failure.ts';
import type { FileSystem } from './file-system.ts';
import { isInMemory, nearestExisting, refuseDisk } from './filesystem-check.ts';

/** What stands where the files are to go. */
export interface DirectoryFacts {
  readonly path: string;
  readonly exists: boolean;
  readonly inMemory: boolean;
  readonly freeBytes: number;
}

/** The facts; throws the Problem of stage `publish` that `init` would end with. */
export function inspectDirectory(dir: string, allowDisk: boolean, fs: FileSystem = nodeFs): DirectoryFacts {
  const path = resolve(dir);
  try {
    const existing = nearestExisting(fs, path);
    if (!allowDisk) refuseDisk(fs, existing, path);
    fs.accessSync(existing, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = fs.statfsSync(existing);
    const inMemory = isInMemory(fs, existing);
    return { path, exists: existing === path, inMemory, freeBytes: bavail * bsize };
  } catch (error) {
    throw explain(error, { dir: path, owner: undefined, room: () => ({ needed: 0, free: 0 }) });
  }
}
