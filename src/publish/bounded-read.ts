/**
 * Reads a file of a directory that others may write to.
 *
 * Another container can put a link, a pipe or a file of any size under any name: links are not followed, a pipe is not waited
 * for, and more than the limit is not read.
 */

import type { FileSystem } from './fs.ts';

/** The text of a regular file of at most `limit` bytes; undefined for anything else. Throws errors of the file system. */
export function readBounded(fs: FileSystem, path: string, limit: number): string | undefined {
  return readBoundedBytes(fs, path, limit)?.toString('utf8');
}

/** The same as bytes. */
export function readBoundedBytes(fs: FileSystem, path: string, limit: number): Buffer | undefined {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  const file = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const stat = fs.fstatSync(file);
    if (!stat.isFile() || stat.size > limit) return undefined;
    const bytes = Buffer.alloc(stat.size);
    return bytes.subarray(0, fs.readSync(file, bytes, 0, bytes.length, 0));
  } finally {
    fs.closeSync(file);
  }
}
