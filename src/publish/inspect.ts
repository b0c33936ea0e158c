/**
 * What `init` would find where it is to publish, looked at without making, locking or writing anything.
 *
 * For `doctor`, which also runs beside a sidecar that holds the directory.
 */

import * as nodeFs from 'node:fs';
import { dirname, resolve } from 'node:path';
import { checkDirectory, type DirectoryTerms, isInMemory } from './filesystem-check.ts';
import type { FileSystem } from './fs.ts';
import { toPublishProblem } from './fs-problems.ts';

/** What stands where the files are to go. */
export interface DirectoryFacts {
  readonly path: string;
  readonly exists: boolean;
  readonly inMemory: boolean;
  readonly freeBytes: number;
}

/** The facts; throws the Problem of stage `publish` that `init` would end with. */
export function inspectDirectory(
  dir: string,
  terms: DirectoryTerms,
  fs: FileSystem = nodeFs,
): DirectoryFacts {
  const path = resolve(dir);
  try {
    const exists = checkDirectory(fs, path, terms);
    const existing = exists ? path : dirname(path);
    const { bavail, bsize } = fs.statfsSync(existing);
    return { path, exists, inMemory: isInMemory(fs, existing), freeBytes: bavail * bsize };
  } catch (error) {
    throw toPublishProblem(error, { dir: path, owner: undefined, room: () => ({ needed: 0, free: 0 }) });
  }
}
