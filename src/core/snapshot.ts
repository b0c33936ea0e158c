/**
 * The set of files that shall exist, and what changed from one set to the next.
 *
 * Paths are checked here, as paths, by the only constructor of FilePath: nothing that reaches the disk can leave the
 * directory, hide behind a reserved name or stand below another file.
 */

import type { Secret } from './secret.ts';

/** A path below the publish directory: relative, normal, with `/` between its segments. Made only by `filePath`. */
export type FilePath = string & { readonly __brand: 'FilePath' };

export interface SnapshotFile {
  readonly path: FilePath;
  /** Permission bits. */
  readonly mode: number;
  readonly content: Secret;
}

export interface Snapshot {
  readonly files: readonly SnapshotFile[];
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export type Change = { readonly kind: 'same' } | Changed;

export interface Changed {
  readonly kind: 'changed';
  readonly added: readonly FilePath[];
  /** Content, mode or owner differ from what was there. */
  readonly updated: readonly FilePath[];
  readonly removed: readonly FilePath[];
}
