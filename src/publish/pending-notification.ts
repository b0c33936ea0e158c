/**
 * Names of files whose change the application has not been notified of, stored with the generation they belong to.
 *
 * A process may be killed between a publish and its notification; the next process finds nothing changed, and would notify
 * nobody. So the names of the changed files are in a file beside the new generation until every notifier has delivered
 * them. The file counts only while its generation is current, so that only changes that happened are notified.
 */

import { join } from 'node:path';
import { type FilePath, filePath } from '../core/file-path.ts';
import { parseJson } from '../core/unknown.ts';
import { readBounded } from './bounded-read.ts';
import type { FileSystem } from './fs.ts';
import { type Layout, pendingFileName } from './layout.ts';

/**
 * Bytes: far more than the names of all files that fit into a volume. A larger file, put there by another container, is not
 * read.
 */
const LIMIT = 4 * 1024 * 1024;

/** Stores these names for a generation that is being made; writes nothing when there are none. `generation`: its path. */
export function writePendingNotification(
  fs: FileSystem,
  generation: string,
  names: readonly FilePath[],
): void {
  if (names.length === 0) return;
  fs.writeFileSync(pendingFileName(generation), JSON.stringify(names), { flag: 'wx', mode: 0o600 });
}

/** The names stored for the current generation; empty when all was delivered, or the file is not one of ours. */
export function readPendingNotification(
  fs: FileSystem,
  dir: string,
  { pendingFile }: Layout,
): readonly FilePath[] {
  if (pendingFile === undefined) return [];
  const path = join(dir, pendingFile);
  if (!fs.lstatSync(path).isFile()) return [];
  const names = parseJson(readBounded(fs, path, LIMIT) ?? '');
  return isPaths(names) ? names : [];
}

/** Every notifier has delivered. */
export function clearPendingNotification(fs: FileSystem, dir: string, { pendingFile }: Layout): void {
  if (pendingFile !== undefined) fs.rmSync(join(dir, pendingFile), { recursive: true, force: true });
}

/** Hooks work with these names: one that leaves the directory is not passed on. */
function isPaths(value: unknown): value is readonly FilePath[] {
  return Array.isArray(value) && value.every((path) => typeof path === 'string' && filePath(path) === path);
}
