/**
 * The set of files that shall exist, and what changed from one set to the next.
 *
 * Paths are checked here, as paths, by the only constructor of FilePath: nothing that reaches the disk can leave the
 * directory, hide behind a reserved name or stand below another file.
 */

import type { FilePath } from '../core/file-path.ts';
import type { Secret } from '../core/secret.ts';

/** One file of a set. */
export interface SnapshotFile {
  readonly path: FilePath;
  /** Permission bits. */
  readonly mode: number;
  readonly content: Secret;
}

/** The whole set. */
export interface Snapshot {
  readonly files: readonly SnapshotFile[];
}

/** User and group, as numbers. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** What a publish made of the directory. */
export type Change = { readonly kind: 'same' } | Changed;

/** The paths that differ between two sets. */
export interface Changed {
  readonly kind: 'changed';
  readonly added: readonly FilePath[];
  /** Content, mode or owner differ from what was there. */
  readonly updated: readonly FilePath[];
  readonly removed: readonly FilePath[];
}
