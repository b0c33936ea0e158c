/**
 * One publish: makes the directory contain exactly the next snapshot, in one atomic step.
 *
 *   <dir>/..2026_01_31_23_59_59.a1B2c3/   a generation: every file of one publish
 *   <dir>/..data -> ..2026_01_31_23_59_59.a1B2c3
 *   <dir>/db-password -> ..data/db-password          one link for each name at the top of the generation
 *   <dir>/..2026_01_31_23_59_59.a1B2c3.pending        names to notify the application of (pending-notification.ts)
 *
 *  (1) Read the layout of the directory.
 *  (2) Remove what a crash left: a `..data_tmp`, dangling links, files next to generations that are not current.
 *  (3) Fail if a name of the next generation belongs to a foreign file.
 *  (4) Compare contents, modes and owners with the disk. If nothing differs, write nothing and return.
 *  (5) Make a new generation, closed to others until it is complete. If it would not fit, remove older ones first.
 *  (6) Store the pending names. Write the files: content, then mode, then owner. Open the generation to others.
 *  (7) Make links for new names. They dangle until (9).
 *  (8) Make `..data_tmp`, a link to the new generation.
 *  (9) Rename it onto `..data`. This is the publish: before it every reader sees the old generation, after it the new one.
 * (10) Remove the links of names that are gone: they dangle since (9).
 *
 * The old generation is removed later, when no reader is in it any more, by the holder of the directory
 * (generation-cleanup.ts). If the process is killed after any step, the directory shows either the old generation or the new
 * one, complete, and the holder and (2) of the next run remove what is left over. A name that is a file in one generation and a
 * directory in the next has the same link in both.
 * A failure before (9) is undone, thrown, and changes nothing; after (9) the application must be notified of the change, so
 * what could not be removed is left to (2) of the next publish, which then fails with the reason.
 *
 * Nothing is flushed to a disk. A tmpfs has none; with --allow-disk only a crash of the whole machine could lose what was
 * written, after which every container starts again, and (4) finds and repairs torn files before the application starts.
 */

import { basename, join } from 'node:path';
import { type FilePath, parentsOf } from '../core/file-path.ts';
import { Problem } from '../core/problem.ts';
import { diff, findFiles, topLevelNames } from './diff.ts';
import type { FileSystem } from './fs.ts';
import { sizeText } from './fs-problems.ts';
import {
  DATA,
  generationPrefix,
  type Layout,
  linkTarget,
  NEW_DATA,
  readLayout,
  remainingDelay,
} from './layout.ts';
import {
  type PendingNotification,
  readPendingNotification,
  writePendingNotification,
} from './pending-notification.ts';
import { type Change, changedPaths, type Owner, type Snapshot } from './snapshot.ts';
import { fits, snapshotSpace, volumeSpace } from './space.ts';

/**
 * Which publishes the application is notified of.
 *
 * `never`: nothing notifies. `replacing`: a change to files that were published before; the first publish is not notified,
 * because the programs that can read the files are not running yet, and a SIGHUP would end one that does not handle it.
 * `changes`: every change, even if all files were removed since: for every later publish of a program. `always`: every
 * publish, even one that changed nothing (--notify-on-start, at the first publish of a program).
 */
export type Announce = 'never' | 'replacing' | 'changes' | 'always';

/** The result of a publish. */
export interface Published {
  readonly change: Change;
  /** The current generation. */
  readonly generation: string;
  /** Names to notify the application of; empty when there is nothing to announce. Of this publish alone. */
  readonly pending: readonly FilePath[];
  /** A change that leaves too little space for the next one. */
  readonly warning?: Problem;
}

/** The directory, and the effects of a publish. */
export interface PublishContext {
  readonly fs: FileSystem;
  /** Absolute, without links. */
  readonly dir: string;
  /** The owner of the published files; undefined: the user of this process. */
  readonly owner: Owner | undefined;
  /** Whether values of the replaced generation must be redacted until the notification is delivered. */
  readonly keepReplaced: boolean;
}

/** Publishes `next`; `now` is the wall clock in milliseconds since 1970. The caller holds the write lock. */
export function publish(context: PublishContext, next: Snapshot, now: number, announce: Announce): Published {
  const { fs, dir, owner } = context;
  const names = topLevelNames(next);

  const before = readLayout(fs, dir); // (1)
  removeStale(context, before); // (2)
  rejectForeign(dir, before, names); // (3)

  const current = before.current;
  // A name without its link cannot be opened: its files count as missing, and the publish makes the link again.
  const linked = new Set([...(current?.names ?? [])].filter((name) => before.links.has(name)));
  const found = current === undefined ? [] : findFiles(fs, join(dir, current.name), linked, next);
  const change = diff(found, next, owner); // (4)
  const pending = pendingNames(change, next, announce, current !== undefined);
  if (change.kind === 'unchanged' && current !== undefined)
    return { change, generation: current.name, pending };

  makeRoom(context, before, next, now);
  // Before the publish, because an error after it would hide what was published.
  const warning = spaceWarning(context, next);
  let generation: string | undefined;
  try {
    generation = fs.mkdtempSync(join(dir, generationPrefix(now))); // (5)
    writePendingNotification(fs, generation, storedNotification(context, before, pending)); // (6)
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
  cleanUp(context, undefined); // (10)
  return { change, generation: basename(generation), pending, ...warning };
}

function pendingNames(
  change: Change,
  next: Snapshot,
  announce: Announce,
  replaces: boolean,
): readonly FilePath[] {
  if (announce === 'never' || (announce === 'replacing' && !replaces)) return [];
  if (change.kind === 'changed') return changedPaths(change);
  return announce === 'always' ? next.files.map(({ path }) => path).sort() : [];
}

/** What the new generation has to store: the names of this publish, and those of earlier ones that were not delivered. */
function storedNotification(
  { fs, dir, keepReplaced }: PublishContext,
  before: Layout,
  pending: readonly FilePath[],
): PendingNotification {
  const undelivered = readPendingNotification(fs, dir, before);
  const replaced = [...undelivered.replaced, ...(before.current === undefined ? [] : [before.current.name])];
  return {
    files: [...new Set([...undelivered.files, ...pending])].sort(),
    replaced: keepReplaced ? replaced.slice(-2) : [],
  };
}

/**
 * Removes older generations if the next one does not fit together with them, although a hook may need their values, as soon as no
 * reader is in them.
 */
function makeRoom({ fs, dir }: PublishContext, layout: Layout, next: Snapshot, now: number): void {
  if (layout.otherGenerations.length === 0 || remainingDelay(layout, now) > 0) return;
  if (fits(snapshotSpace(next), volumeSpace(fs, dir).free)) return;
  for (const name of layout.otherGenerations) fs.rmSync(join(dir, name), { recursive: true, force: true });
}

/** Makes the directory show the current generation and nothing else. */
function removeStale({ fs, dir }: PublishContext, layout: Layout): void {
  // Recursive, because a foreign directory of that name would block every publish.
  if (layout.hasNewData) fs.rmSync(join(dir, NEW_DATA), { recursive: true, force: true });
  for (const name of layout.links) {
    if (!layout.current?.names.has(name)) fs.unlinkSync(join(dir, name));
  }
  for (const file of layout.otherSideFiles) fs.rmSync(join(dir, file), { recursive: true, force: true });
}

/** After a failure, removes the unpublished generation; after a success, leftovers of the publish. */
function cleanUp(context: PublishContext, unpublished: string | undefined): void {
  const { fs, dir } = context;
  try {
    if (unpublished !== undefined) fs.rmSync(unpublished, { recursive: true, force: true });
    removeStale(context, readLayout(fs, dir));
  } catch {
    // After a failure the first error is the one to report; after a success there is none. (2) removes what is left.
  }
}

/** The root of the volume, the directory, the two locks and the name of their holder. */
const OTHER_INODES = 5;

/** A set of more than half of the volume is published once, and no later one fits together with it. */
function spaceWarning({ fs, dir }: PublishContext, next: Snapshot): { readonly warning?: Problem } {
  const needed = snapshotSpace(next);
  const { size } = volumeSpace(fs, dir);
  // The links are the same for both.
  const inodes = 2 * needed.inodes - topLevelNames(next).size + OTHER_INODES;
  const forBoth = { bytes: 2 * needed.bytes, inodes };
  if (fits(forBoth, size)) return {};
  const isTooLarge = forBoth.bytes > size.bytes;
  const taken = isTooLarge
    ? `${sizeText(needed.bytes)} of a volume of ${sizeText(size.bytes)}`
    : `${needed.inodes} inodes of a volume with ${size.inodes}`;
  return {
    warning: new Problem({
      code: 'publish.space',
      subject: dir,
      message: `the files take ${taken}: a change to them cannot be published, because for one second the old and the new files are both in it`,
      remedy: isTooLarge
        ? `Raise the sizeLimit of the volume (emptyDir: { medium: Memory, sizeLimit: … }) to at least ${sizeText(forBoth.bytes)}, or its memory limit.`
        : `Raise nr_inodes of the volume to at least ${forBoth.inodes}.`,
    }),
  };
}

function rejectForeign(dir: string, { foreign }: Layout, names: ReadonlySet<string>): void {
  for (const name of names) {
    if (!foreign.has(name)) continue;
    throw new Problem({
      code: 'publish.directory',
      subject: join(dir, name),
      message: 'the name is taken by a file that podsecrets did not create',
      remedy: 'Remove it, or give the object another objectAlias, or give podsecrets a directory of its own.',
    });
  }
}

function writeFiles({ fs, dir, owner }: PublishContext, generation: string, next: Snapshot): void {
  // In a volume with fsGroup the directory has the setgid bit: without it, files below would lose the group that may read them.
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
    // Not in writeFileSync, because the umask takes bits away there; and before chown, because afterwards only CAP_FOWNER
    // could change the mode.
    setMode(fs, path, file.mode);
    if (owner === undefined) continue;
    fs.lchownSync(path, owner.uid, owner.gid);
    // (4) of the next run has to read it: better to fail at the first start than at the first restart.
    fs.accessSync(path, fs.constants.R_OK);
  }
  setMode(fs, generation, openToOthers);
}

/** Does not follow a link, which another writer to the directory could have created since. */
function setMode(fs: FileSystem, path: string, mode: number): void {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  const opened = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    fs.fchmodSync(opened, mode);
  } finally {
    fs.closeSync(opened);
  }
}
