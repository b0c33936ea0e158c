/**
 * Errors of the file system, as Problems: the operation, the error, and the change to the pod.
 *
 * Only the operation, the path and the errno are shown. Any other error is a bug and stays unchanged.
 */

import { dirname, resolve } from 'node:path';
import { isOpenFilesCode, OPEN_FILES_REMEDY } from '../core/open-files.ts';
import { Problem } from '../core/problem.ts';
import { quote } from '../core/text.ts';
import type { FileSystem } from './fs.ts';
import type { Owner, Snapshot } from './snapshot.ts';
import { type Space, snapshotSpace, type VolumeSpace, volumeSpace } from './space.ts';

/** Space in the volume, read only when it ran out, after what was written was removed again. */
interface Shortage {
  readonly needed: Space;
  readonly free: Space;
}

/** The attempted operation. */
interface Attempt {
  readonly dir: string;
  readonly owner: Owner | undefined;
  readonly space: () => Shortage;
}

interface SystemError extends Error {
  readonly code: string;
  readonly syscall: string;
  readonly path?: string;
}

/** The Problem for an error that was thrown while publishing. */
export function toPublishProblem(error: unknown, { dir, owner, space }: Attempt): unknown {
  if (!isSystemError(error)) return error;
  const { code, syscall, path = dir } = error;
  const operation = path === dir ? syscall : `${syscall} of ${quote(path)}`;
  if (syscall.endsWith('chown')) {
    return problem(
      `cannot change the owner of ${quote(path)} to ${owner?.uid}:${owner?.gid} (${code})`,
      'Leave --owner out and set fsGroup in the securityContext of the pod, or run this container as root with the capability CHOWN.',
    );
  }
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT': {
      const { needed, free } = space();
      if (free.inodes === 0 || (needed.inodes > free.inodes && needed.bytes <= free.bytes)) {
        return problem(
          `no inodes left in the volume, its limit of files, directories and links: needs ${needed.inodes}, ${free.inodes} free`,
          'Remove other files from the volume, or raise its sizeLimit or nr_inodes: each file and each link needs one, and for one second the old and the new files are both in it.',
        );
      }
      return problem(
        `no space left: needs ${sizeText(needed.bytes)}, ${sizeText(free.bytes)} free`,
        'Raise the size of the volume (sizeLimit of an emptyDir, size= of a tmpfs), or its memory limit: for one second the old and the new files are both in it.',
      );
    }
    case 'EROFS':
      return problem(
        `the volume is mounted read-only (${code} at ${operation})`,
        "Leave readOnly out of this container's volumeMount; the application's own may keep it.",
      );
    case 'EACCES':
    case 'EPERM':
      return problem(
        `permission denied (${code} at ${operation})`,
        `Run init and sidecar as the same user, and let it write to the volume (fsGroup in the securityContext of the pod).${owner === undefined ? '' : ' To read files whose owner it changed with --owner, it needs their group or CAP_DAC_OVERRIDE.'}`,
      );
    case 'EFBIG':
      return problem(
        `a file is larger than this process may write (${code} at ${operation})`,
        'Raise the limit of file sizes (ulimit -f, LimitFSIZE of a systemd unit); the files that are there are unchanged.',
      );
    default:
      return problem(
        `${operation} failed (${code})`,
        isOpenFilesCode(code)
          ? OPEN_FILES_REMEDY
          : 'Check the volume; the files that are there are unchanged.',
        TRANSIENT.has(code),
      );
  }

  function problem(message: string, remedy: string, retry = false): Problem {
    return new Problem({ code: 'publish.write', subject: dir, message, remedy, retry, cause: error });
  }
}

/** May succeed later without a change: too little memory, too many open files. */
const TRANSIENT: ReadonlySet<string> = new Set(['ENOMEM', 'EMFILE', 'ENFILE', 'EAGAIN', 'EINTR']);

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && 'syscall' in error;
}

/** Binary units, as Kubernetes writes them; rounded up, so that a sizeLimit of this size is enough. */
export function sizeText(bytes: number): string {
  return bytes < 1_048_576 ? `${Math.ceil(bytes / 1024)}Ki` : `${Math.ceil(bytes / 104_857.6) / 10}Mi`;
}

/** The object of the work. */
export interface Work {
  readonly fs: FileSystem;
  readonly dir: string;
  readonly owner?: Owner | undefined;
  /** The snapshot that is being written, if any. */
  readonly next?: Snapshot;
}

/**
 * The result of work on a directory. Throws a Problem of stage `publish`, with the state of the volume, for an error of the file system,
 * and other errors unchanged.
 */
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
