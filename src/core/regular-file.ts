/**
 * Reads a small regular file, and rejects any other kind of file.
 *
 * Opening a named pipe waits for a writer, and reading a device may never end. A path to one must fail at once instead of blocking
 * the process. The file is read from one descriptor, so a file that is replaced meanwhile is either the old or the new one.
 */

import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';

/** The content, or why there is none. */
export type FileContent =
  | { readonly kind: 'read'; readonly bytes: Uint8Array }
  /** `code` is Node's, or empty; `found` describes what is there, if it is not a regular file of at most `maxBytes`. */
  | { readonly kind: 'failed'; readonly code: string; readonly found: string | undefined };

/** An inherited descriptor, such as a shell creates for `<(command)`: its pipe has a writer and an end. */
const INHERITED = /^\/(?:dev|proc\/self)\/fd\/\d+$/;

/**
 * Reads a regular file of at most `maxBytes` bytes, symbolic links followed, or an inherited pipe. Never throws; blocks only
 * for the writer of an inherited pipe.
 */
export function readRegularFile(file: string, maxBytes: number): FileContent {
  let descriptor: number | undefined;
  try {
    const inherited = INHERITED.test(file);
    // Without O_NONBLOCK, opening a named pipe waits for a writer. For a regular file the flag has no effect.
    const nonBlocking = inherited ? 0 : constants.O_NONBLOCK;
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOCTTY | nonBlocking);
    const stats = fstatSync(descriptor);
    const found = inherited && stats.isFIFO() ? undefined : otherKind(stats);
    if (found !== undefined) return { kind: 'failed', code: '', found };
    const bytes = readAtMost(descriptor, maxBytes + 1);
    if (bytes.length <= maxBytes) return { kind: 'read', bytes };
    return { kind: 'failed', code: '', found: `more than ${sizeText(maxBytes)}` };
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    // A socket cannot be opened at all.
    return { kind: 'failed', code, found: code === 'ENXIO' ? 'a socket or a device' : undefined };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** What it is, like `a directory`; undefined for a regular file. */
export function otherKind(stats: Stats): string | undefined {
  if (stats.isFile()) return undefined;
  if (stats.isSymbolicLink()) return 'a symbolic link';
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a named pipe';
  return stats.isCharacterDevice() || stats.isBlockDevice() ? 'a device' : 'a special file';
}

function readAtMost(descriptor: number, limit: number): Uint8Array {
  const buffer = Buffer.alloc(limit);
  let length = 0;
  for (let read = -1; read !== 0 && length < limit; length += read) {
    read = readSync(descriptor, buffer, length, limit - length, null);
  }
  // A copy, so that the large buffer can be collected.
  return new Uint8Array(buffer.subarray(0, length));
}

function sizeText(bytes: number): string {
  return bytes >= 1024 * 1024 ? `${bytes / 1024 / 1024} MiB` : `${bytes / 1024} KiB`;
}
