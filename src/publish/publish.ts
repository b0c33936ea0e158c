/**
 * One publish: makes the directory hold exactly the next set, in one step that a reader can see.
 *
 *   <dir>/..2026_01_31_23_59_59.a1B2c3/   a set: every file of one publish
 *   <dir>/..data -> ..2026_01_31_23_59_59.a1B2c3
 *   <dir>/db-password -> ..data/db-password          one link for each name at the top of the set
 *   <dir>/..2026_01_31_23_59_59.a1B2c3.pending        what the application has yet to hear of it (untold.ts)
 *
 *  (1) Take the inventory of the directory.
 *  (2) Sweep what a crash left: a `..data_tmp`, links that lead nowhere, sets that are not in use and their notes.
 *  (3) Refuse if a name of the next set is taken by something that is not ours.
 *  (4) Compare contents, modes and owners with the disk. Nothing differs: nothing is written, that is all.
 *  (5) Make a new set, closed to others until it is whole.
 *  (6) Note what the application has yet to hear. Write the files: content, then mode, then owner. Open the set to others.
 *  (7) Make links for new names. They lead nowhere until (9), and so come to life with the set.
 *  (8) Make `..data_tmp`, a link to the new set.
 *  (9) Rename it onto `..data`. This is the publish: before it every reader sees the old set, after it the new one.
 * (10) Remove the links of names that are gone: they lead nowhere since (9).
 * (11) Retire the old set: it goes a second later, when nobody reads in it any more.
 *
 * Killed after any step, the directory shows either the old set or the new one, whole, and what is too much is swept by (2)
 * of the next run. A name that is a file in one set and a directory in the next has the same link in both. A failure before
 * (9) is undone, thrown, and changes nothing; after (9) the application must be told of the change, so what could not be
 * tidied up is left to (2) of the next publish, which then complains.
 *
 * Nothing is flushed to a disk. A tmpfs has none; with --allow-disk only a crash of the whole machine could lose what was
 * written, after which every container starts again, and (4) finds and mends what is torn before the application starts.
 */

import { constants } from 'node:fs';
import { basename, join } from 'node:path';
import { parentsOf } from '../core/file-path.ts';
import { Problem } from '../core/problem.ts';
import { diff, topLevelNames } from './diff.ts';
import { findFiles } from './found-files.ts';
import type { FileSystem } from './fs.ts';
import { CLEANUP_DELAY, type GenerationCleanup } from './generation-cleanup.ts';
import { DATA, generationPrefix, type Layout, linkTarget, NEW_DATA, readLayout } from './layout.ts';
import { readPendingNotification, writePendingNotification } from './pending-notification.ts';
import type { Change, Changed, Owner, Snapshot } from './snapshot.ts';

/** Where to publish, and with what. */
export interface PublishContext {
  readonly fs: FileSystem;
  /** Absolute, without links. */
  readonly dir: string;
  /** Who shall own the files; undefined: whoever writes them. */
  readonly owner: Owner | undefined;
  readonly cleanup: GenerationCleanup;
}

/** `now` is the wall clock: milliseconds since 1970. `telling`: what the application is to hear, asked before a change is made. */
export function publish(
  context: PublishContext,
  next: Snapshot,
  now: number,
  notify: (change: Changed) => Changed | undefined,
): Change {
  const { fs, dir, owner } = context;
  const names = topLevelNames(next);

  const before = readLayout(fs, dir); // (1)
  removeStale(context, before, remainingDelay(before, now)); // (2)
  refuseForeign(dir, before, names); // (3)

  const current = before.current;
  // A name without its link cannot be opened: its files count as absent, and the publish brings the link back.
  const linked = new Set([...(current?.names ?? [])].filter((name) => before.links.has(name)));
  const found = current === undefined ? [] : findFiles(fs, join(dir, current.name), linked, next);
  const change = diff(found, next, owner); // (4)
  if (change.kind === 'same' && current !== undefined) return change;

  let generation: string | undefined;
  try {
    generation = fs.mkdtempSync(join(dir, generationPrefix(now))); // (5)
    writePendingNotification(fs, generation, [
      readPendingNotification(fs, dir, before),
      change.kind === 'same' ? undefined : notify(change),
    ]); // (6)
    writeFiles(context, generation, next);
    for (const name of names) {
      if (!linked.has(name)) fs.symlinkSync(linkTarget(name), join(dir, name)); // (7)
    }
    fs.symlinkSync(basename(generation), join(dir, NEW_DATA)); // (8)
    fs.renameSync(join(dir, NEW_DATA), join(dir, DATA)); // (9)
  } catch (error) {
    cleanUp(context, generation);
    throw error;
  }
  cleanUp(context, undefined); // (10), (11)
  return change;
}

/** Makes the directory show the current set and nothing else; other sets go after `wait` milliseconds. */
function removeStale({ fs, dir, cleanup }: PublishContext, inventory: Layout, wait: number): void {
  if (inventory.hasNewData) fs.unlinkSync(join(dir, NEW_DATA));
  for (const name of inventory.links) {
    if (!inventory.current?.names.has(name)) fs.unlinkSync(join(dir, name));
  }
  for (const note of inventory.otherPendingFiles)
    fs.rmSync(join(dir, note), { recursive: true, force: true });
  cleanup.scheduleRemoval(inventory.otherGenerations, wait);
}

/** How much longer a reader may still be in a set that the current one replaced. Clocks jump: never longer than the grace. */
function remainingDelay({ current }: Layout, now: number): number {
  return current === undefined ? 0 : Math.min(current.since + CLEANUP_DELAY - now, CLEANUP_DELAY);
}

/** After a failure with the set that nobody has seen, after a success with what the publish left behind. */
function cleanUp(context: PublishContext, unpublished: string | undefined): void {
  const { fs, dir } = context;
  try {
    if (unpublished !== undefined) fs.rmSync(unpublished, { recursive: true, force: true });
    removeStale(context, readLayout(fs, dir), CLEANUP_DELAY);
  } catch {
    // After a failure the first error is the one to report; after a success there is none. What is left is swept by (2).
  }
}

function refuseForeign(dir: string, { foreign }: Layout, names: ReadonlySet<string>): void {
  for (const name of names) {
    if (!foreign.has(name)) continue;
    throw new Problem({
      code: 'publish.directory',
      subject: join(dir, name),
      message: 'expected no such name, or a link of our own, got something that podsecrets did not make',
      remedy: 'Remove it, or give the object another objectAlias, or give podsecrets a directory of its own.',
    });
  }
}

function writeFiles({ fs, dir, owner }: PublishContext, generation: string, next: Snapshot): void {
  // In a volume with fsGroup the directory has the setgid bit: kept, or files below would lose the group that may read them.
  const openToOthers = 0o755 | (fs.statSync(dir).mode & 0o2000);
  const made = new Set<string>();
  for (const file of next.files) {
    for (const parent of parentsOf(file.path)) {
      if (made.has(parent)) continue;
      fs.mkdirSync(join(generation, parent));
      setMode(fs, join(generation, parent), openToOthers);
      made.add(parent);
    }
    const path = join(generation, file.path);
    fs.writeFileSync(path, file.content.reveal(), { flag: 'wx', mode: 0o600 });
    // Not through the mode of the creation, from which the umask takes away; and before the file is given away, after which
    // only CAP_FOWNER could still change its mode.
    setMode(fs, path, file.mode);
    if (owner === undefined) continue;
    fs.lchownSync(path, owner.uid, owner.gid);
    // (4) of the next run has to read it: better to fail on the first day than at the first restart.
    fs.accessSync(path, constants.R_OK);
  }
  setMode(fs, generation, openToOthers);
}

/** Not through a link, which somebody else who may write to the directory could have put there since. */
function setMode(fs: FileSystem, path: string, mode: number): void {
  const opened = fs.openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    fs.fchmodSync(opened, mode);
  } finally {
    fs.closeSync(opened);
  }
}
