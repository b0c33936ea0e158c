/**
 * A path below the publish directory, valid by construction.
 *
 * `filePath` is the only constructor: nothing that reaches the disk can leave the directory, have a reserved name or be below
 * another file.
 */

/** A path below the publish directory: relative, normalized, with `/` between its segments. Created only by `filePath`. */
export type FilePath = string & { readonly __brand: 'FilePath' };

/** Why a path is invalid, as the end of a sentence. */
export interface InvalidPath {
  readonly reason: string;
}

/** The normalized path (`a//b/.` is `a/b`), or why it is invalid. */
export function filePath(text: string): FilePath | InvalidPath {
  if (text.startsWith('/')) return { reason: 'it is absolute' };
  if (text.includes('\0')) return { reason: 'it contains a NUL character' };
  const segments = text.split('/').filter((segment) => segment !== '' && segment !== '.');
  const [first] = segments;
  if (first === undefined) return { reason: 'it names no file' };
  if (segments.includes('..')) return { reason: 'it contains the segment ".."' };
  // Reserved for the publisher's own names, such as `..data`.
  if (first.startsWith('..')) return { reason: 'it begins with "..", which is reserved' };
  if (segments.some((segment) => byteLength(segment) > MAX_SEGMENT)) {
    return { reason: `a segment is longer than ${MAX_SEGMENT} bytes` };
  }
  const path = segments.join('/');
  if (byteLength(path) > MAX_PATH) return { reason: `it is longer than ${MAX_PATH} bytes` };
  return path as FilePath;
}

/** The parent directories of a path, from the top: `a` and `a/b` for `a/b/c`. */
export function parentsOf(path: FilePath): readonly FilePath[] {
  const segments = path.split('/');
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('/') as FilePath);
}

/** Bytes that Linux allows in one segment, and in a path together with the directory before it (PATH_MAX is 4096). */
const MAX_SEGMENT = 255;

const MAX_PATH = 3072;

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
