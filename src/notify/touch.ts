/**
 * Notifies the application by touching a file: creates it if it is missing, else updates its modification time.
 *
 * A watcher gets the events of an attribute change and of a close after writing; the content does not change.
 */

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Problem } from '../core/problem.ts';
import { escapeControl } from '../core/text.ts';
import type { Notifier } from './notifier.ts';

/** Touches `file`; `now` is the wall clock, milliseconds since 1970. */
export function touchNotifier(file: string, now: () => number): Notifier {
  return {
    kind: 'touch',
    async notify(_, signal) {
      signal.throwIfAborted();
      let handle: FileHandle | undefined;
      try {
        handle = await open(file, CREATE_OR_KEEP, 0o644);
        await setTime(handle, now() / 1000);
      } catch (error) {
        throw failure(file, error);
      } finally {
        await handle?.close();
      }
    },
  };
}

/** Creates the file or opens it without truncating it, and does not wait for a pipe's reader; nothing is ever written. */
const CREATE_OR_KEEP = constants.O_WRONLY | constants.O_CREAT | constants.O_NONBLOCK;

async function setTime(handle: FileHandle, seconds: number): Promise<void> {
  try {
    await handle.utimes(seconds, seconds);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    // Only its owner may set a file's time, but truncating it to its own length sets the time to now.
    await handle.truncate((await handle.stat()).size);
  }
}

function failure(file: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  return new Problem({
    code: 'notify.touch',
    subject: escapeControl(file),
    message: `cannot be touched (${code})`,
    remedy: remedies[code] ?? 'Use a file on a volume that this container may write to.',
    // A directory of another container may appear later; a full disk may get free space.
    retry: code === 'ENOENT' || code === 'ENOSPC',
  });
}

const remedies: Readonly<Record<string, string>> = {
  ENOENT: 'Create its directory, or mount the volume that both containers share.',
  ENOTDIR: 'Use another path: a part of it is a file, not a directory.',
  EISDIR: 'Use a file, not a directory.',
  ENXIO: 'Use a file, not a pipe or a socket.',
  EACCES: 'Let the user podsecrets runs as write to it and to its directory.',
  EROFS: 'Mount the volume without readOnly in this container.',
  ENOSPC: 'Free space on its volume.',
};
