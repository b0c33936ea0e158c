/**
 * Errors of the file system, explained: what was expected, what the system said, and what to change in the pod.
 *
 * Only the operation, the path and the errno are told. What is no error of the file system is a bug and comes back as it is.
 */

import { Problem } from '../core/problem.ts';
import { quote } from '../core/text.ts';
import type { Owner } from './snapshot.ts';

/** Bytes, asked for only when they are what is missing. */
interface Room {
  readonly needed: number;
  readonly free: number;
}

/** What was attempted when the error came. */
export interface Attempt {
  readonly dir: string;
  readonly owner: Owner | undefined;
  readonly room: () => Room;
}

interface SystemError extends Error {
  readonly code: string;
  readonly syscall: string;
  readonly path?: string;
}

/** The Problem behind whatever was thrown while publishing. */
export function toPublishProblem(error: unknown, { dir, owner, room }: Attempt): unknown {
  if (!isSystemError(error)) return error;
  const { code, syscall, path = dir } = error;
  const operation = path === dir ? syscall : `${syscall} of ${quote(path)}`;
  if (syscall.endsWith('chown')) {
    return problem(
      `expected to give ${quote(path)} to ${owner?.uid}:${owner?.gid}, got ${code}`,
      'Leave --owner out and set fsGroup in the securityContext of the pod, or run this container as root with the capability CHOWN.',
    );
  }
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT': {
      const { needed, free } = room();
      return problem(
        `expected room for ${sizeText(needed)}, got ${sizeText(free)} free`,
        'Raise the sizeLimit of the volume (emptyDir: { medium: Memory, sizeLimit: … }), or its memory limit: for one second the old and the new files both stand in it.',
      );
    }
    case 'EROFS':
      return problem(
        `expected a volume that can be written, got ${code} at ${operation}`,
        "Leave readOnly out of this container's volumeMount; the application's own may keep it.",
      );
    case 'EACCES':
    case 'EPERM':
      return problem(
        `expected permission, got ${code} at ${operation}`,
        'Run init and sidecar as the same user, and let it write to the volume (fsGroup in the securityContext of the pod); to read files it has given away with --owner it needs their group or CAP_DAC_OVERRIDE.',
      );
    default:
      return problem(
        `expected the ${operation} to succeed, got ${code}`,
        'Check the volume; the files that are there are untouched.',
        passing.has(code),
      );
  }

  function problem(message: string, remedy: string, retry = false): Problem {
    return new Problem({ code: 'publish.write', subject: dir, message, remedy, retry, cause: error });
  }
}

/** What may be over in a moment without anybody's help: too little memory, too many open files. */
const passing: ReadonlySet<string> = new Set(['ENOMEM', 'EMFILE', 'ENFILE', 'EAGAIN', 'EINTR']);

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && 'syscall' in error;
}

/** Binary units, as Kubernetes writes them; rounded up, so that a sizeLimit of this size is enough. */
function sizeText(bytes: number): string {
  return bytes < 1_048_576 ? `${Math.ceil(bytes / 1024)}Ki` : `${Math.ceil(bytes / 104_857.6) / 10}Mi`;
}
