/**
 * Inspects the path of a directory for a publish, without creating, locking or writing anything: for `doctor`, which
 * also runs while a sidecar holds the lock.
 */

import * as nodeFs from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type Problem, usageProblem } from '../core/problem.ts';
import { quote } from '../core/text.ts';
import { checkDirectory, type DirectoryTerms, isInMemory } from './filesystem-check.ts';
import type { FileSystem } from './fs.ts';
import { explained } from './fs-problems.ts';

/**
 * A problem for each directory that is the same as an earlier one, although the path is written in another way: with `/./`, or
 * through a symbolic link. Two configs with the same directory would wait for each other's lock and remove each
 * other's files.
 */
export function sameDirectories(dirs: readonly string[], fs: FileSystem = nodeFs): readonly Problem[] {
  const seen = new Map<string, string>();
  return dirs.flatMap((dir) => {
    const real = realDirectory(fs, dir);
    const earlier = seen.get(real);
    seen.set(real, earlier ?? dir);
    if (earlier === undefined) return [];
    const message = `expected a directory for each config, got ${quote(earlier)} and ${quote(dir)}, which are the same directory`;
    return [usageProblem('--config', message, 'Give each config its own directory: --config FILE=DIR.')];
  });
}

/** Without links; the part of the path that does not exist yet, or cannot be followed, is kept. Opening it reports why. */
function realDirectory(fs: FileSystem, dir: string): string {
  const path = resolve(dir);
  try {
    return fs.realpathSync(path);
  } catch {
    return path === '/' ? path : join(realDirectory(fs, dirname(path)), basename(path));
  }
}

/** The result. */
export interface DirectoryFacts {
  readonly path: string;
  readonly exists: boolean;
  readonly inMemory: boolean;
  readonly freeBytes: number;
}

/** Inspects the directory. Throws the Problem of stage `publish` with which `init` would fail. */
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
