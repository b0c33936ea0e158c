/**
 * The files of one publish, and what changed from one generation to the next.
 *
 * Paths are FilePaths: their only constructor checks them, so nothing that reaches the disk can leave the directory, have a
 * reserved name or be below another file.
 */

import type { FilePath } from '../core/file-path.ts';
import type { Secret } from '../core/secret.ts';

/** One file. */
export interface SnapshotFile {
  readonly path: FilePath;
  /** Permission bits. */
  readonly mode: number;
  readonly content: Secret;
}

/** Every file of one publish. */
export interface Snapshot {
  readonly files: readonly SnapshotFile[];
}

/** User and group, as numbers. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** What a publish changed in the directory. */
export type Change = { readonly kind: 'unchanged' } | Changed;

/** The paths that differ between two generations. */
export interface Changed {
  readonly kind: 'changed';
  readonly added: readonly FilePath[];
  /** Content, mode or owner differ from what was there. */
  readonly updated: readonly FilePath[];
  readonly removed: readonly FilePath[];
}

/** Every path of a change, sorted. */
export function changedPaths({ added, updated, removed }: Changed): readonly FilePath[] {
  return [...added, ...updated, ...removed].sort();
}
