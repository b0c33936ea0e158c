/**
 * Inspects the path of a directory for a publish, without creating, locking or writing anything: for `doctor`, which
 * also runs while a sidecar holds the lock.
 */

import * as nodeFs from 'node:fs';
import { dirname, resolve } from 'node:path';
import { explained } from './explain.ts';
import { checkDirectory, type DirectoryTerms, isInMemory } from './filesystem-check.ts';
import type { FileSystem } from './fs.ts';

/** The result. */
export interface DirectoryFacts {
  readonly path: string;
  readonly exists: boolean;
  readonly inMemory: boolean;
  readonly freeBytes: number;
}

/** Looks at the directory. Throws the Problem of stage `publish` that `init` would end with. */
export function inspectDirectory(
  dir: string,
  terms: DirectoryTerms,
  fs: FileSystem = nodeFs,
): DirectoryFacts {
  const path = resolve(dir);
  return explained({ fs, dir: path }, () => {
    const exists = checkDirectory(fs, path, terms);
    const existing = exists ? path : dirname(path);
    const { bavail, bsize } = fs.statfsSync(existing);
    return { path, exists, inMemory: isInMemory(fs, existing), freeBytes: bavail * bsize };
  });
}
