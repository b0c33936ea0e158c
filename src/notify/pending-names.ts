/**
 * What an application is to be told, and when to try again.
 *
 * A notifier that was busy or failed may have missed several changes: they are merged into one, so that it hears once, about
 * the newest set, with the names of all files that differ from what it last heard of.
 */

import type { FilePath } from '../core/file-path.ts';
import type { Change, Changed, Snapshot } from '../publish/snapshot.ts';

/**
 * The change that a publish has to tell; undefined when there is none to tell.
 *
 * A set that replaces none (`replaces` is false) is not told: whoever could read the files is not running yet, and a SIGHUP
 * would kill a program that is not ready for it. `always` (--notify-on-start, at the first publish of a process) tells it,
 * and even a publish that changed nothing.
 */
export function changeToNotify(
  change: Change,
  published: Snapshot,
  replaces: boolean,
  always: boolean,
): Changed | undefined {
  if (change.kind === 'changed') return replaces || always ? change : undefined;
  const updated = published.files.map((file) => file.path);
  return always ? { kind: 'changed', added: [], updated, removed: [] } : undefined;
}

/** Two changes, one after the other, as one. A file that came and went again stays a removed one: somebody may have read it. */
export function mergeChanges(earlier: Changed, later: Changed): Changed {
  const added = new Set(earlier.added);
  const updated = new Set(earlier.updated);
  const removed = new Set(earlier.removed);
  const move = (path: FilePath, to: Set<FilePath>): void => {
    for (const set of [added, updated, removed]) set.delete(path);
    to.add(path);
  };
  for (const path of later.added) move(path, removed.has(path) ? updated : added);
  for (const path of later.updated) move(path, added.has(path) ? added : updated);
  for (const path of later.removed) move(path, removed);
  return { kind: 'changed', added: [...added], updated: [...updated], removed: [...removed] };
}

/** Every file of a change, sorted by name. */
export function changedPaths(change: Changed): readonly FilePath[] {
  return [...change.added, ...change.updated, ...change.removed].sort();
}

/** Milliseconds. */
const FIRST_DELAY = 2_000;
const MAX_DELAY = 60_000;

/**
 * The wait after the given number of failures in a row (from 1), in milliseconds: between half and the whole of a limit that
 * doubles from 2 s to 1 min. Never all of it at random: a notifier talks to one application, and its first retry must not be
 * so soon that a restart cannot be over. `retryAfter` is what the other side asked for.
 */
export function notifyBackoff(failures: number, random: number, retryAfter: number | undefined): number {
  const limit = Math.min(MAX_DELAY, FIRST_DELAY * 2 ** Math.min(failures - 1, 10));
  return Math.max(Math.round(limit * (0.5 + random / 2)), Math.min(retryAfter ?? 0, MAX_DELAY));
}
