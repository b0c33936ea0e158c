/**
 * A directory to publish to.
 *
 * Opening it checks where it is and takes its lock, which is held until `close` or the end of the process; publishing is
 * then safe against kill -9 after any step (publish.ts). Nothing here decides what the files are.
 */

import * as nodeFs from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Secret } from '../../core/secret.ts';
import type { Owner, Snapshot } from '../../core/snapshot.ts';
import type { Clock, Target } from '../../ports.ts';
import { holdsFiles, readValues } from './current-set.ts';
import { explain } from './failure.ts';
import type { FileSystem } from './file-system.ts';
import { type DirectoryTerms, prepareDirectory } from './filesystem-check.ts';
import { takeInventory } from './inventory.ts';
import { takeLock } from './lock.ts';
import { publish } from './publish.ts';
import { rememberReplaced } from './replaced.ts';
import { retirementOf } from './retirement.ts';
import { forgetUntold, readUntold } from './untold.ts';

/** Which directory, and on what terms. */
export interface DirectoryWish extends DirectoryTerms {
  readonly dir: string;
  /** Who shall own the files; undefined: whoever writes them. */
  readonly owner: Owner | undefined;
  /** `init` or `sidecar`: what another writer is told that finds the directory locked. */
  readonly holder: string;
  /** How long to wait for another writer to end, in milliseconds. */
  readonly patience: number;
  readonly clock: Clock;
  /** Ends the wait for another writer. */
  readonly stop: AbortSignal;
  readonly fs?: FileSystem;
}

/** A directory that nobody else publishes to until it is closed. */
export interface Directory extends Target {
  /** Absolute, without links. */
  readonly path: string;
  /** Every value that a hook may know: of the set in use, and those it replaced until everything was told. Throws a Problem. */
  values(): readonly Secret[];
  /** Waits, one second at most, until replaced values are gone; then gives the directory free. */
  close(): Promise<void>;
}

/** The directory, locked; throws a Problem of stage `publish`, or the reason of `stop`. */
export async function openDirectory(wish: DirectoryWish): Promise<Directory> {
  const { owner, clock, fs = nodeFs } = wish;
  const dir = explained(() => prepareDirectory(fs, wish.dir, wish), wish.dir);
  const lock = await takeLock(dir, wish);
  const retirement = retirementOf(fs, dir, clock);
  const replaced = rememberReplaced();
  let closed: Promise<void> | undefined;
  return {
    path: dir,
    publish: (next, telling) =>
      explained(
        () =>
          publish({ fs, dir, owner, retirement }, next, clock.now(), (change) => {
            const news = telling(change);
            if (news !== undefined) replaced.keep(readValues(fs, dir));
            return news;
          }),
        dir,
        next,
      ),
    untold: () => explained(() => readUntold(fs, dir, takeInventory(fs, dir)), dir),
    told() {
      explained(() => forgetUntold(fs, dir, takeInventory(fs, dir)), dir);
      replaced.forget();
    },
    holds: (paths) => holdsFiles(fs, dir, paths),
    values: () => [...explained(() => readValues(fs, dir), dir), ...replaced.values()],
    close: () => {
      closed ??= retirement.settled().finally(() => lock.release());
      return closed;
    },
  };

  function explained<Result>(work: () => Result, subject: string, next?: Snapshot): Result {
    try {
      return work();
    } catch (error) {
      throw explain(error, {
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
