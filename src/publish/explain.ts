/**
 * Runs work on a directory; an error of the file system becomes a Problem with the state of the volume.
 */

import { dirname, resolve } from 'node:path';
import type { FileSystem } from './fs.ts';
import { toPublishProblem } from './fs-problems.ts';
import type { Owner, Snapshot } from './snapshot.ts';
import { snapshotSpace, type VolumeSpace, volumeSpace } from './space.ts';

/** The object of the work. */
export interface Work {
  readonly fs: FileSystem;
  readonly dir: string;
  readonly owner?: Owner | undefined;
  /** The snapshot that is being written, if any. */
  readonly next?: Snapshot;
}

/** The result of the work. Throws a Problem of stage `publish` for an error of the file system, and other errors unchanged. */
export function explained<Result>(work: Work, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    throw toProblem(work, error);
  }
}

/** The same for work that waits. */
export async function explainedAsync<Result>(work: Work, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    throw toProblem(work, error);
  }
}

function toProblem({ fs, dir, owner, next = { files: [] } }: Work, error: unknown): unknown {
  const space = () => ({ needed: snapshotSpace(next), free: existingVolume(fs, dir).free });
  return toPublishProblem(error, { dir, owner, space });
}

/** A directory that could not even be created is missing; its parent is on the same volume. */
function existingVolume(fs: FileSystem, dir: string): VolumeSpace {
  const exists = fs.statSync(dir, { throwIfNoEntry: false }) !== undefined;
  return volumeSpace(fs, exists ? dir : dirname(resolve(dir)));
}
