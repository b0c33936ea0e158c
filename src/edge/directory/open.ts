/**
 * A directory to publish to.
 *
 * Opening it checks where it is and takes its lock, which is held until `close` or the end of the process; publishing is
 * then safe against kill -9 after any step (publish.ts). Nothing here decides what the files are.
 */

import * as nodeFs from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../../core/problem.ts';
import type { Secret } from '../../core/secret.ts';
import type { Owner, Snapshot } from '../../core/snapshot.ts';
import type { Clock, Target } from '../../ports.ts';
import { holdsFiles, readValues } from './current-set.ts';
import { explain } from './failure.ts';
import type { FileSystem } from './file-system.ts';
import { prepareDirectory } from './filesystem-check.ts';
import { takeInventory } from './inventory.ts';
import { LOCK, takeLock } from './lock.ts';
import { publish } from './publish.ts';
import { rememberReplaced } from './replaced.ts';
import { retirementOf } from './retirement.ts';
import { forgetUntold, readUntold } from './untold.ts';

/** Which directory, and on what terms. */
export interface DirectoryWish {
  readonly dir: string;
  /** Who shall own the files; undefined: whoever writes them. */
  readonly owner: Owner | undefined;
  /** Whether a directory that is not in memory will do. */
  readonly allowDisk: boolean;
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
  /** What will work, but perhaps not for everybody. */
  readonly warnings: readonly Problem[];
  /** Waits, one second at most, until replaced values are gone; then gives the directory free. */
  close(): Promise<void>;
}

/** The directory, locked; throws a Problem of stage `publish`, or the reason of `stop`. */
export async function openDirectory(wish: DirectoryWish): Promise<Directory> {
  const { owner, clock, fs = nodeFs } = wish;
  const dir = explained(() => prepareDirectory(fs, wish.dir, wish.allowDisk), wish.dir);
  const lock = await takeLock(dir, wish);
  const retirement = retirementOf(fs, dir, clock);
  const replaced = rememberReplaced();
  let closed: Promise<void> | undefined;
  return {
    path: dir,
    warnings: warningsAbout(fs, dir),
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
  const { bavail, bsize } = fs.statfsSync(dir);
  return bavail * bsize;
}

/**
 * In a directory with the sticky bit that everybody may write to, such as a tmpfs mounted without options, the kernel lets
 * a user follow only links of its own or of the directory's owner (sysctl fs.protected_symlinks, on in most systems).
 */
function warningsAbout(fs: FileSystem, dir: string): readonly Problem[] {
  const { mode, uid } = fs.statSync(dir);
  const sticky = (mode & 0o1002) === 0o1002;
  // Our links have the owner that our lock has.
  if (!sticky || uid === fs.statSync(join(dir, LOCK)).uid) return [];
  return [
    new Problem({
      code: 'publish.directory',
      subject: dir,
      message: 'expected a directory without the sticky bit, got one: other users may be refused the files',
      remedy:
        'Mount the tmpfs with mode=0777 or mode=0755 and the uid of this container, or run all containers as one user.',
    }),
  ];
}
