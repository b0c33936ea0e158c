/**
 * A directory to publish to.
 *
 * Opening it checks its file system and takes its lock, which is held until `close` or the end of the process; publishing is
 * then safe against kill -9 after any step (publish.ts). The caller decides which files.
 */

import * as nodeFs from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { FilePath } from '../core/file-path.ts';
import { Problem } from '../core/problem.ts';
import type { Secret } from '../core/secret.ts';
import { readAppliedSecrets, writeAppliedSecrets } from './applied-secrets.ts';
import { checkDirectory, type DirectoryTerms, isInMemory, prepareDirectory } from './filesystem-check.ts';
import type { FileSystem } from './fs.ts';
import { toPublishProblem } from './fs-problems.ts';
import { createGenerationCleanup } from './generation-cleanup.ts';
import { holdsFiles, readLayout, readValues } from './layout.ts';
import { LOCK, takeLock } from './lock.ts';
import { clearPendingNotification, readPendingNotification } from './pending-notification.ts';
import { createPreviousValues } from './previous-values.ts';
import { type Announce, type Published, publish } from './publish.ts';
import type { Owner, Snapshot } from './snapshot.ts';

/** Which directory, and on what terms. */
export interface DirectoryOptions extends DirectoryTerms {
  readonly dir: string;
  /** The owner of the published files; undefined: the user of this process. */
  readonly owner: Owner | undefined;
  /** `init` or `sidecar`: shown to another writer that finds the directory locked. */
  readonly holder: string;
  /** How long to wait for another writer to end, in milliseconds. */
  readonly lockTimeout: number;
  readonly clock: Clock;
  /** Ends the wait for another writer. */
  readonly stop: AbortSignal;
  readonly fs?: FileSystem;
}

/** Where files go. */
export interface PublishTarget {
  /** Whether there is a generation that has all of these files: published by this process or by an earlier one. */
  holds(paths: readonly FilePath[]): boolean;
  /**
   * Makes the directory hold exactly this snapshot, in one step, or throws a Problem of stage `publish` and leaves it as it
   * was. The pending names are stored with the generation until `clearPendingNotification`, beyond the end of the process.
   */
  publish(next: Snapshot, options: { readonly announce: Announce }): Published;
  /** The stored names: files whose change the application may not have been notified of. */
  pendingNotification(): readonly FilePath[];
  /** Every notifier has delivered. */
  clearPendingNotification(): void;
  /** The record of Kubernetes Secrets applied from the current generation; undefined: none. Throws a Problem. */
  appliedSecrets(): string | undefined;
  /** Stores that record, beyond the end of the process. */
  recordAppliedSecrets(text: string): void;
}

/** A directory that no other process publishes to until it is closed. */
export interface Directory extends PublishTarget {
  /** Absolute, without links. */
  readonly path: string;
  /** Every value that a hook may know: current ones, and those replaced since the last delivery. Throws a Problem. */
  values(): readonly Secret[];
  /** Waits, one second at most, until replaced values are removed; then releases the lock. */
  close(): Promise<void>;
}

/** The directory, locked; throws a Problem of stage `publish`, or the reason of `stop`. */
export async function openDirectory(options: DirectoryOptions): Promise<Directory> {
  const { owner, clock, fs = nodeFs } = options;
  const dir = explained(() => prepareDirectory(fs, options.dir, options), options.dir);
  const lock = await takeLock(dir, options);
  const cleanup = createGenerationCleanup(fs, dir, clock);
  const identity = identityOf(fs, dir);
  const previousValues = createPreviousValues();
  let hasPublished = false;
  let closed: Promise<void> | undefined;
  return {
    path: dir,
    publish: (next, { announce }) =>
      explained(
        () => {
          if (identityOf(fs, dir) !== identity) throw replaced(dir);
          const beforeChange = () => previousValues.keep(readValues(fs, dir));
          const context = { fs, dir, owner, cleanup, hasPublished, beforeChange };
          const published = publish(context, next, clock.now(), announce);
          hasPublished = true;
          return published;
        },
        dir,
        next,
      ),
    pendingNotification: () => explained(() => readPendingNotification(fs, dir, readLayout(fs, dir)), dir),
    clearPendingNotification() {
      explained(() => clearPendingNotification(fs, dir, readLayout(fs, dir)), dir);
      previousValues.forget();
    },
    appliedSecrets: () => explained(() => readAppliedSecrets(fs, dir, readLayout(fs, dir)), dir),
    recordAppliedSecrets: (text) =>
      explained(() => writeAppliedSecrets(fs, dir, readLayout(fs, dir), text), dir),
    holds: (paths) => holdsFiles(fs, dir, paths),
    values: () => [...explained(() => readValues(fs, dir), dir), ...previousValues.values()],
    close: () => {
      closed ??= cleanup.settled().finally(() => lock.release());
      return closed;
    },
  };

  function explained<Result>(work: () => Result, subject: string, next?: Snapshot): Result {
    try {
      return work();
    } catch (error) {
      throw toPublishProblem(error, {
        dir: subject,
        owner,
        space: () => ({ needed: sizeOf(next), ...freeSpace(fs, subject) }),
      });
    }
  }
}

/** The directory itself and its lock file; differs once either was replaced, removed or unmounted. */
function identityOf(fs: FileSystem, dir: string): string {
  return [dir, join(dir, LOCK)]
    .map((path) => fs.lstatSync(path, { throwIfNoEntry: false }))
    .map((stat) => `${stat?.dev}:${stat?.ino}`)
    .join();
}

/** Values must not go to a disk behind an unmounted volume, nor to a directory whose lock another process may hold. */
function replaced(dir: string): Problem {
  return new Problem({
    code: 'publish.directory',
    subject: dir,
    message: 'the directory or its ..lock was replaced, removed or unmounted since the start',
    remedy: 'Restart this container, and leave the directory to podsecrets.',
  });
}

/** Files take whole pages of 4 KiB in a tmpfs. */
function sizeOf(next: Snapshot | undefined): number {
  const pages = next?.files.map((file) => Math.ceil(file.content.reveal().length / 4096)) ?? [];
  return pages.reduce((sum, count) => sum + count * 4096, 0);
}

function freeSpace(fs: FileSystem, dir: string): { readonly free: number; readonly freeInodes: number } {
  // A directory that could not even be created is missing; its parent is on the same volume.
  const exists = fs.statSync(dir, { throwIfNoEntry: false }) !== undefined;
  const { bavail, bsize, ffree } = fs.statfsSync(exists ? dir : dirname(resolve(dir)));
  return { free: bavail * bsize, freeInodes: ffree };
}

/** What was found at the path of the directory. */
export interface DirectoryFacts {
  readonly path: string;
  readonly exists: boolean;
  readonly inMemory: boolean;
  readonly freeBytes: number;
}

/**
 * What `init` would find, without creating, locking or writing anything: for `doctor`, which also runs beside a sidecar that
 * holds the lock. Throws the Problem of stage `publish` that `init` would end with.
 */
export function inspectDirectory(
  dir: string,
  terms: DirectoryTerms,
  fs: FileSystem = nodeFs,
): DirectoryFacts {
  const path = resolve(dir);
  try {
    const exists = checkDirectory(fs, path, terms);
    const existing = exists ? path : dirname(path);
    return { path, exists, inMemory: isInMemory(fs, existing), freeBytes: freeSpace(fs, existing).free };
  } catch (error) {
    const space = () => ({ needed: 0, free: 0, freeInodes: undefined });
    throw toPublishProblem(error, { dir: path, owner: undefined, space });
  }
}
