/**
 * A directory to publish to.
 *
 * Opening it checks where it is and takes its lock, which is held until `close` or the end of the process; publishing is
 * then safe against kill -9 after any step (publish.ts). Nothing here decides what the files are.
 */

import * as nodeFs from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { Secret } from '../core/secret.ts';
import type { PublishTarget } from '../sidecar/target.ts';
import { readAppliedSecrets, writeAppliedSecrets } from './applied-secrets.ts';
import { holdsFiles, readValues } from './current-generation.ts';
import { type DirectoryTerms, prepareDirectory } from './filesystem-check.ts';
import type { FileSystem } from './fs.ts';
import { toPublishProblem } from './fs-problems.ts';
import { createGenerationCleanup } from './generation-cleanup.ts';
import { readLayout } from './layout.ts';
import { takeLock } from './lock.ts';
import { clearPendingNotification, readPendingNotification } from './pending-notification.ts';
import { createPreviousValues } from './previous-values.ts';
import { publish } from './publish.ts';
import type { Owner, Snapshot } from './snapshot.ts';

/** Which directory, and on what terms. */
export interface DirectoryOptions extends DirectoryTerms {
  readonly dir: string;
  /** Who shall own the files; undefined: whoever writes them. */
  readonly owner: Owner | undefined;
  /** `init` or `sidecar`: what another writer is told that finds the directory locked. */
  readonly holder: string;
  /** How long to wait for another writer to end, in milliseconds. */
  readonly lockTimeout: number;
  readonly clock: Clock;
  /** Ends the wait for another writer. */
  readonly stop: AbortSignal;
  readonly fs?: FileSystem;
}

/** A directory that nobody else publishes to until it is closed. */
export interface Directory extends PublishTarget {
  /** Absolute, without links. */
  readonly path: string;
  /** Every value that a hook may know: of the set in use, and those it replaced until everything was told. Throws a Problem. */
  values(): readonly Secret[];
  /** Waits, one second at most, until replaced values are gone; then gives the directory free. */
  close(): Promise<void>;
}

/** The directory, locked; throws a Problem of stage `publish`, or the reason of `stop`. */
export async function openDirectory(options: DirectoryOptions): Promise<Directory> {
  const { owner, clock, fs = nodeFs } = options;
  const dir = explained(() => prepareDirectory(fs, options.dir, options), options.dir);
  const lock = await takeLock(dir, options);
  const cleanup = createGenerationCleanup(fs, dir, clock);
  const previousValues = createPreviousValues();
  let closed: Promise<void> | undefined;
  return {
    path: dir,
    publish: (next, notify) =>
      explained(
        () =>
          publish({ fs, dir, owner, cleanup }, next, clock.now(), (change) => {
            const news = notify(change);
            if (news !== undefined) previousValues.keep(readValues(fs, dir));
            return news;
          }),
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
        room: () => ({ needed: sizeOf(next), free: freeBytes(fs, subject) }),
      });
    }
  }
}

/** Files take whole pages of 4 KiB in a tmpfs. */
function sizeOf(next: Snapshot | undefined): number {
  const pages = next?.files.map((file) => Math.ceil(file.content.reveal().length / 4096)) ?? [];
  return pages.reduce((sum, count) => sum + count * 4096, 0);
}

function freeBytes(fs: FileSystem, dir: string): number {
  // A directory that could not even be created is missing; its parent is on the same volume.
  const exists = fs.statSync(dir, { throwIfNoEntry: false }) !== undefined;
  const { bavail, bsize } = fs.statfsSync(exists ? dir : dirname(resolve(dir)));
  return bavail * bsize;
}
