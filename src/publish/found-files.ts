/**
 * The files of the set in use, each compared with what the next set holds at its path.
 *
 * Contents are read in pieces of 64 KiB, the most that Secrets Manager keeps in one secret, so that the memory needed does
 * not grow with the set. Only files with the size of the next value are read at all.
 */

import { join } from 'node:path';
import { filePath } from '../core/file-path.ts';
import type { FoundFile } from './diff.ts';
import type { FileSystem } from './fs.ts';
import type { Snapshot } from './snapshot.ts';

const PIECE = 65_536;

/** Every file below the given top-level names of the set in the directory `set`. */
export function findFiles(
  fs: FileSystem,
  set: string,
  names: Iterable<string>,
  next: Snapshot,
): readonly FoundFile[] {
  const values = new Map<string, Uint8Array>(next.files.map((file) => [file.path, file.content.reveal()]));
  const piece = new Uint8Array(PIECE);
  const found: FoundFile[] = [];
  for (const name of names) visit(name);
  piece.fill(0);
  return found;

  function visit(relative: string): void {
    const path = join(set, relative);
    const stat = fs.lstatSync(path);
    if (stat.isDirectory()) {
      for (const name of fs.readdirSync(path)) visit(`${relative}/${name}`);
      return;
    }
    const checked = filePath(relative);
    // No publish can have made a path that is none.
    if (typeof checked !== 'string') return;
    const value = values.get(relative);
    const sameSize = value !== undefined && stat.isFile() && stat.size === value.length;
    found.push({
      path: checked,
      mode: stat.mode & 0o7777,
      owner: { uid: stat.uid, gid: stat.gid },
      sameContent: sameSize && holds(fs, path, value, piece),
    });
  }
}

function holds(fs: FileSystem, path: string, value: Uint8Array, piece: Uint8Array): boolean {
  const file = fs.openSync(path, 'r');
  try {
    for (let at = 0; at < value.length; ) {
      const read = fs.readSync(file, piece, 0, Math.min(PIECE, value.length - at), at);
      if (read === 0 || Buffer.compare(piece.subarray(0, read), value.subarray(at, at + read)) !== 0)
        return false;
      at += read;
    }
    return true;
  } finally {
    fs.closeSync(file);
  }
}
