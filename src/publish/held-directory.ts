/**
 * A directory that this process holds until it is closed: no other process can hold it, and only the processes that this
 * one starts publish to it.
 *
 * Holding it checks its file system, takes its lock, and removes replaced generations. Publishing is the work of a writer
 * (directory.ts), in the same process or in another.
 */

import * as nodeFs from 'node:fs';
import type { FilePath } from '../core/file-path.ts';
import { readAppliedSecrets } from './applied-secrets.ts';
import { type DirectoryTerms, prepareDirectory } from './filesystem-check.ts';
import type { FileSystem } from './fs.ts';
import { explained, explainedAsync } from './fs-problems.ts';
import { createGenerationCleanup } from './generation-cleanup.ts';
import { checkDirectoryIdentity, directoryIdentity } from './identity.ts';
import { holdsFiles, readLayout } from './layout.ts';
import { type LockOptions, takeLock, takeWriteLock } from './lock.ts';
import { clearPendingNotification, readPendingNotification } from './pending-notification.ts';

/** The directory, and how to hold it. `lockTimeout`: how long to wait for another holder; `stop` ends the wait. */
export interface HoldOptions extends DirectoryTerms, LockOptions {
  readonly dir: string;
  readonly fs?: FileSystem;
}

/** The parameters for a writer to a held directory; not secret, and the same in every process. */
export interface DirectoryHandle {
  /** Absolute, without links; empty for `noDirectory`. */
  readonly path: string;
  /** Differs once the path leads elsewhere, or the lock file was replaced. */
  readonly identity: string;
}

/** Names that were published and not delivered. */
export interface UndeliveredNames {
  /** The generation that they are stored with; undefined if there is none. */
  readonly generation: string | undefined;
  readonly files: readonly FilePath[];
}

/** A directory that is held. Every function throws a Problem of stage `publish` for a file system error. */
export interface HeldDirectory extends DirectoryHandle {
  /** Whether there is a generation that has all of these files: published by this process or by an earlier one. */
  holds(paths: readonly FilePath[]): boolean;
  /** The record of Kubernetes Secrets applied from the current generation; undefined: none. */
  appliedSecrets(): string | undefined;
  /** The stored names: files whose change the application may not have been notified of. */
  pendingNotification(): UndeliveredNames;
  /** Call when every notifier has delivered the names of this generation. Names of a later one stay. */
  clearPendingNotification(generation: string): void;
  /**
   * Removes replaced generations that no reader and no hook needs, and those of writers that were killed, now or within a
   * second. To be called after each publish, each delivery, and each end of a writer. Rejects with a Problem when one that is
   * due cannot be removed; the next call tries again.
   */
  removeReplaced(): Promise<void>;
  /** Waits, one second at most, until replaced generations are removed; then releases the lock. */
  close(): Promise<void>;
}

/** For a config that publishes no files: `exec` may use only its variables. */
export const noDirectory: Omit<HeldDirectory, 'close'> = {
  path: '',
  identity: '',
  holds: () => false,
  appliedSecrets: () => undefined,
  pendingNotification: () => ({ generation: undefined, files: [] }),
  clearPendingNotification() {},
  async removeReplaced() {},
};

/** Milliseconds that a publish may take before a removal is left to the next call. */
const REMOVAL_TIMEOUT = 2000;

/** The directory, created if only its last part is missing, and locked. Rejects with a Problem, or the reason of `stop`. */
export async function holdDirectory(options: HoldOptions): Promise<HeldDirectory> {
  const { clock, fs = nodeFs } = options;
  const dir = explained({ fs, dir: options.dir }, () => prepareDirectory(fs, options.dir, options));
  const lock = await explainedAsync({ fs, dir }, () => takeLock(dir, options));
  const unstoppable = { lockTimeout: REMOVAL_TIMEOUT, clock, stop: new AbortController().signal };
  const cleanup = createGenerationCleanup({
    fs,
    dir,
    clock,
    takeLock: () => takeWriteLock(dir, unstoppable),
  });
  const identity = directoryIdentity(fs, dir);
  const work = { fs, dir };
  let closed: Promise<void> | undefined;

  async function removeReplaced(): Promise<void> {
    await explainedAsync(work, async () => {
      checkDirectoryIdentity(fs, dir, identity);
      await cleanup.run();
    });
  }

  async function close(): Promise<void> {
    try {
      // The next process removes what cannot be removed now.
      await removeReplaced().catch(() => {});
      await cleanup.settled();
    } finally {
      lock.release();
    }
  }

  return {
    path: dir,
    identity,
    holds: (paths) => holdsFiles(fs, dir, paths),
    appliedSecrets: () => explained(work, () => readAppliedSecrets(fs, dir, readLayout(fs, dir))),
    pendingNotification: () =>
      explained(work, () => {
        const layout = readLayout(fs, dir);
        const { files } = readPendingNotification(fs, dir, layout);
        return { generation: layout.current?.name, files };
      }),
    clearPendingNotification: (generation) =>
      explained(work, () => {
        checkDirectoryIdentity(fs, dir, identity);
        clearPendingNotification(fs, dir, generation);
      }),
    removeReplaced,
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}
