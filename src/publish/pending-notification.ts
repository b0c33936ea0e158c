/**
 * Names of files whose change the application has not been notified of, stored with the generation they belong to.
 *
 * A process may be killed between a publish and its notification; the next process finds nothing changed, and would not
 * notify. So the names of the changed files are in a file next to the new generation until every notifier has delivered
 * them. The file is valid only while its generation is current, so that only changes that happened are notified.
 */

import { join } from 'node:path';
import { type FilePath, filePath } from '../core/file-path.ts';
import { asObject, parseJson } from '../core/unknown.ts';
import { readBounded } from './bounded-read.ts';
import type { FileSystem } from './fs.ts';
import { isGenerationName, type Layout, pendingFileName } from './layout.ts';

/**
 * Bytes: far more than the names of all files that fit into a volume. A larger file, put there by another container, is not
 * read.
 */
const LIMIT = 4 * 1024 * 1024;

/** The changes that the application has not been notified of. */
export interface PendingNotification {
  /** Names of the changed files; empty if everything was delivered. */
  readonly files: readonly FilePath[];
  /**
   * The generations that were replaced since the last delivery, the oldest first, at most two: a hook may print their values.
   * Empty if no notifier shows output.
   */
  readonly replaced: readonly string[];
}

/** Stores it for a new generation; writes nothing if there are no files. `generation`: its path. */
export function writePendingNotification(
  fs: FileSystem,
  generation: string,
  pending: PendingNotification,
): void {
  if (pending.files.length === 0) return;
  fs.writeFileSync(pendingFileName(generation), JSON.stringify(pending), { flag: 'wx', mode: 0o600 });
}

/** The names stored for the current generation; empty if all were delivered, or podsecrets did not write the file. */
export function readPendingNotification(
  fs: FileSystem,
  dir: string,
  { pendingFile }: Layout,
): PendingNotification {
  if (pendingFile === undefined) return NOTHING;
  const path = join(dir, pendingFile);
  if (!fs.lstatSync(path).isFile()) return NOTHING;
  const { files, replaced } = asObject(parseJson(readBounded(fs, path, LIMIT) ?? ''));
  return isPaths(files) && isGenerations(replaced) ? { files, replaced } : NOTHING;
}

const NOTHING: PendingNotification = { files: [], replaced: [] };

/**
 * The replaced generations that a hook may print values of: none or one. Undefined after two changes without a delivery: values of both
 * would be needed, but only one is stored.
 */
export function replacedToRedact({ replaced }: PendingNotification): readonly string[] | undefined {
  return replaced.length > 1 ? undefined : replaced;
}

/** Every notifier has delivered what was stored for this generation, given by its name. */
export function clearPendingNotification(fs: FileSystem, dir: string, generation: string): void {
  fs.rmSync(join(dir, pendingFileName(generation)), { recursive: true, force: true });
}

/** Hooks use these names, so names outside of the directory are dropped. */
function isPaths(value: unknown): value is readonly FilePath[] {
  return Array.isArray(value) && value.every((path) => typeof path === 'string' && filePath(path) === path);
}

function isGenerations(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string' && isGenerationName(name));
}
