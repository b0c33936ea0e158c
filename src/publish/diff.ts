/**
 * The changes of a publish: compares the generation on disk with the next snapshot.
 *
 * The comparison is with the disk and not with memory, so that a restart that changes nothing sends no notification. Content,
 * mode and owner count; modification times and inodes do not. Contents are read in chunks of 64 KiB, the most that Secrets
 * Manager keeps in one secret, so that the memory needed does not grow with the generation. Only files with the size of the
 * next value are read at all.
 */

import { join } from 'node:path';
import { type FilePath, filePath } from '../core/file-path.ts';
import type { FileSystem } from './fs.ts';
import type { Change, Owner, Snapshot } from './snapshot.ts';

/** A file of the generation that is on disk. */
export interface FoundFile {
  readonly path: FilePath;
  /** Permission bits, with setuid, setgid and sticky: those must not be set either. */
  readonly mode: number;
  readonly owner: Owner;
  /** Whether its bytes are those that the snapshot has at this path. */
  readonly sameContent: boolean;
}

/** The change from the files on disk to `next`, paths in the order of `next`; without `owner` any owner is accepted. */
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
    ? { kind: 'unchanged' }
    : { kind: 'changed', added, updated, removed };
}

function isOwnedBy(file: FoundFile, owner: Owner | undefined): boolean {
  return owner === undefined || (file.owner.uid === owner.uid && file.owner.gid === owner.gid);
}

/** The names in the directory itself: the first segment of each path. */
export function topLevelNames(next: Snapshot): ReadonlySet<string> {
  return new Set(next.files.map(({ path }) => path.split('/', 1)[0] ?? path));
}

/** Bytes. */
const CHUNK = 65_536;

/** Every file below the given top-level names of a generation, compared with `next`. `generation`: its path. */
export function findFiles(
  fs: FileSystem,
  generation: string,
  names: Iterable<string>,
  next: Snapshot,
): readonly FoundFile[] {
  const values = new Map<string, Uint8Array>(next.files.map((file) => [file.path, file.content.reveal()]));
  const chunk = new Uint8Array(CHUNK);
  const found: FoundFile[] = [];
  for (const name of names) visit(name);
  chunk.fill(0);
  return found;

  function visit(relative: string): void {
    const path = join(generation, relative);
    const stat = fs.lstatSync(path);
    if (stat.isDirectory()) {
      for (const name of fs.readdirSync(path)) visit(`${relative}/${name}`);
      return;
    }
    const checked = filePath(relative);
    // No publish can have created an invalid path.
    if (typeof checked !== 'string') return;
    const value = values.get(relative);
    const sameSize = value !== undefined && stat.isFile() && stat.size === value.length;
    found.push({
      path: checked,
      mode: stat.mode & 0o7777,
      owner: { uid: stat.uid, gid: stat.gid },
      sameContent: sameSize && hasContent(fs, path, value, chunk),
    });
  }
}

function hasContent(fs: FileSystem, path: string, value: Uint8Array, chunk: Uint8Array): boolean {
  const file = fs.openSync(path, 'r');
  try {
    for (let at = 0; at < value.length; ) {
      const read = fs.readSync(file, chunk, 0, Math.min(CHUNK, value.length - at), at);
      if (read === 0 || Buffer.compare(chunk.subarray(0, read), value.subarray(at, at + read)) !== 0)
        return false;
      at += read;
    }
    return true;
  } finally {
    fs.closeSync(file);
  }
}
