/**
 * What a publish changes: the set on disk against the set that shall be there.
 *
 * The comparison is with the disk and not with a memory, so that a restart that changes nothing tells nobody. Content,
 * mode and owner count; modification times and inodes do not.
 */

import type { FilePath } from '../core/file-path.ts';
import type { Change, Owner, Snapshot } from './snapshot.ts';

/** A file of the set that is on disk. */
export interface FoundFile {
  readonly path: FilePath;
  /** Permission bits, with setuid, setgid and sticky: those must not be there either. */
  readonly mode: number;
  readonly owner: Owner;
  /** Whether its bytes are those that the next set has at this path. */
  readonly sameContent: boolean;
}

/** The change from what was found to `next`, paths in the order of `next`; with no `owner` asked for, any will do. */
export function diff(found: readonly FoundFile[], next: Snapshot, owner: Owner | undefined): Change {
  const gone = new Map(found.map((file) => [file.path, file]));
  const added: FilePath[] = [];
  const updated: FilePath[] = [];
  for (const { path, mode } of next.files) {
    const before = gone.get(path);
    gone.delete(path);
    if (before === undefined) added.push(path);
    else if (!before.sameContent || before.mode !== mode || !isOwnedBy(before, owner)) updated.push(path);
  }
  const removed = [...gone.keys()].sort();
  return added.length + updated.length + removed.length === 0
    ? { kind: 'same' }
    : { kind: 'changed', added, updated, removed };
}

function isOwnedBy(file: FoundFile, owner: Owner | undefined): boolean {
  return owner === undefined || (file.owner.uid === owner.uid && file.owner.gid === owner.gid);
}

/** The names that stand in the directory itself: the first segment of each path. */
export function topLevelNames(next: Snapshot): ReadonlySet<string> {
  return new Set(next.files.map(({ path }) => topLevelName(path)));
}

/** The first segment of a path. */
function topLevelName(path: FilePath): string {
  const slash = path.indexOf('/');
  return slash === -1 ? path : path.slice(0, slash);
}
