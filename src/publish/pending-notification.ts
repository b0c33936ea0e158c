/**
 * What the application has yet to hear, remembered with the set that it is about.
 *
 * A process may be killed between a publish and notifications; the next one finds nothing changed, and would
 * tell nobody. So the names of the changed files stand in a note beside the new set, until they were told. A note counts
 * only while its set is in use, so that nothing is told that did not happen.
 */

import { join } from 'node:path';
import { type FilePath, filePath } from '../core/file-path.ts';
import { asObject, parseJson } from '../core/unknown.ts';
import { mergeChanges } from '../notify/pending-names.ts';
import type { FileSystem } from './fs.ts';
import { type Layout, pendingFileName } from './layout.ts';
import type { Changed } from './snapshot.ts';

/** Notes these changes, one after the other, for a set that is being made; nothing when there are none. */
export function writePendingNotification(
  fs: FileSystem,
  set: string,
  changes: readonly (Changed | undefined)[],
): void {
  const known = changes.filter((change) => change !== undefined);
  if (known.length === 0) return;
  const text = JSON.stringify(known.reduce(mergeChanges));
  fs.writeFileSync(pendingFileName(set), text, { flag: 'wx', mode: 0o600 });
}

/** The note of the set in use; undefined when everything was told, or the note is not one of ours. */
export function readPendingNotification(
  fs: FileSystem,
  dir: string,
  { pendingFile: note }: Layout,
): Changed | undefined {
  if (note === undefined) return undefined;
  const path = join(dir, note);
  if (!fs.lstatSync(path).isFile()) return undefined;
  const { added, updated, removed } = asObject(parseJson(fs.readFileSync(path, 'utf8')));
  return isPaths(added) && isPaths(updated) && isPaths(removed)
    ? { kind: 'changed', added, updated, removed }
    : undefined;
}

/** Everything was told. */
export function clearPendingNotification(fs: FileSystem, dir: string, { pendingFile: note }: Layout): void {
  if (note !== undefined) fs.rmSync(join(dir, note), { recursive: true, force: true });
}

/** Hooks work with these names: one that leaves the directory is not passed on. */
function isPaths(value: unknown): value is readonly FilePath[] {
  return Array.isArray(value) && value.every((path) => typeof path === 'string' && filePath(path) === path);
}
