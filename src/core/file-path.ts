/**
 * A path below the publish directory, valid by construction.
 *
 * `filePath` is the only constructor: nothing that reaches the disk can leave the directory, have a reserved name or be below
 * another file.
 */

/** A path below the publish directory: relative, normal, with `/` between its segments. Made only by `filePath`. */
export type FilePath = string & { readonly __brand: 'FilePath' };

/** What is wrong with a path, as the end of a sentence. */
export interface PathFault {
  readonly fault: string;
}

/** The path in its normal form (`a//b/.` is `a/b`), or what is wrong with it. */
export function filePath(text: string): FilePath | PathFault {
  if (text.startsWith('/')) return { fault: 'it is absolute' };
  if (text.includes('\0')) return { fault: 'it holds a NUL character' };
  const segments = text.split('/').filter((segment) => segment !== '' && segment !== '.');
  const [first] = segments;
  if (first === undefined) return { fault: 'it names no file' };
  if (segments.includes('..')) return { fault: 'it holds the segment ".."' };
  // The publisher's own names begin so, like `..data`.
  if (first.startsWith('..')) return { fault: 'it begins with "..", which is reserved' };
  if (segments.some((segment) => byteLength(segment) > LONGEST_SEGMENT)) {
    return { fault: `a segment is longer than ${LONGEST_SEGMENT} bytes` };
  }
  const path = segments.join('/');
  if (byteLength(path) > LONGEST_PATH) return { fault: `it is longer than ${LONGEST_PATH} bytes` };
  return path as FilePath;
}

/** The directories that a path is in, from the top: `a` and `a/b` for `a/b/c`. */
export function parentsOf(path: FilePath): readonly FilePath[] {
  const segments = path.split('/');
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('/') as FilePath);
}

/** Bytes that Linux allows in one segment, and in a path together with the directory before it (PATH_MAX is 4096). */
const LONGEST_SEGMENT = 255;

const LONGEST_PATH = 3072;

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
