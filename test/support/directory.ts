/** Directories to publish to, and what is in them afterwards. */

import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type FilePath, filePath } from '../../src/core/file-path.ts';
import { Secret } from '../../src/core/secret.ts';
import { type Directory, openDirectory } from '../../src/publish/directory.ts';
import type { FileSystem } from '../../src/publish/fs.ts';
import { type HeldDirectory, type HoldOptions, holdDirectory } from '../../src/publish/held-directory.ts';
import { isGenerationName } from '../../src/publish/layout.ts';
import type { Announce, Published } from '../../src/publish/publish.ts';
import type { Change, Owner, Snapshot } from '../../src/publish/snapshot.ts';
import { type FakeClock, fakeClock } from './clock.ts';

/** A directory that is held, and a writer to it, in one process. */
export interface OpenDirectory {
  readonly path: string;
  readonly clock: FakeClock;
  readonly held: HeldDirectory;
  readonly writer: Directory;
  /** Notifies of every change by default; then removes old generations, like a sync. */
  publish(next: Snapshot, announce?: Announce): Promise<Change>;
  /** The same, with everything that a publish returns. */
  published(next: Snapshot, announce?: Announce): Promise<Published>;
  pendingNotification(): readonly FilePath[];
  /** Everything that was published until now was delivered. */
  clearPendingNotification(): void;
  close(): Promise<void>;
  /** Closes it, and advances by the second for which replaced generations stay. */
  end(): Promise<void>;
}

export interface OpenOptions extends Partial<HoldOptions> {
  readonly owner?: Owner;
  /** Default: true. */
  readonly keepReplaced?: boolean;
  readonly fs?: FileSystem;
  readonly clock?: FakeClock;
}

/** Opens a directory with a fake clock. */
export async function open(dir: string, overrides: OpenOptions = {}): Promise<OpenDirectory> {
  const { clock = fakeClock(), owner, keepReplaced = true } = overrides;
  const options = {
    dir,
    allowDisk: false,
    user: process.geteuid?.() ?? 0,
    inKubernetes: true,
    lockTimeout: 0,
    stop: new AbortController().signal,
    ...overrides,
    clock,
  };
  const held = await holdDirectory(options);
  const writer = openDirectory({ ...options, directory: held, owner, keepReplaced });

  async function published(next: Snapshot, announce: Announce = 'always'): Promise<Published> {
    const result = await writer.publish(next, { announce });
    // What fails here is reported by the next call.
    await held.removeReplaced().catch(() => {});
    return result;
  }

  return {
    path: held.path,
    clock,
    held,
    writer,
    published,
    publish: async (next, announce) => (await published(next, announce)).change,
    pendingNotification: () => held.pendingNotification().files,
    clearPendingNotification() {
      const { generation } = held.pendingNotification();
      if (generation !== undefined) held.clearPendingNotification(generation);
    },
    close: () => held.close(),
    end: async () => {
      const closed = held.close();
      await clock.advance(1000);
      await closed;
    },
  };
}

/** One publish by a new writer that delivers the notification and ends, like `init`. */
export async function publishOnce(dir: string, next: Snapshot, overrides: OpenOptions = {}) {
  const directory = await open(dir, overrides);
  try {
    const change = await directory.publish(next);
    directory.clearPendingNotification();
    return change;
  } finally {
    await directory.end();
  }
}

/** A snapshot of texts; modes are 0644 unless given. */
export function snapshot(
  files: Readonly<Record<string, string | readonly [text: string, mode: number]>>,
): Snapshot {
  return {
    files: Object.entries(files).map(([path, file]) => {
      const [text, mode] = typeof file === 'string' ? [file, 0o644] : file;
      return { path: valid(path), mode, content: new Secret(text) };
    }),
  };
}

function valid(path: string): FilePath {
  const checked = filePath(path);
  if (typeof checked !== 'string') throw new Error(`${path}: ${checked.reason}`);
  return checked;
}

/** What an application reads by the names in the directory: path to text. Names that lead nowhere are left out. */
export function shown(dir: string): Readonly<Record<string, string>> {
  const names = readdirSync(dir).filter((name) => !name.startsWith('..'));
  return Object.fromEntries(names.flatMap((name) => filesBelow(dir, name)).sort());
}

/** The same through `..data`; nothing before the first publish. */
export function shownInData(dir: string): Readonly<Record<string, string>> {
  if (!exists(join(dir, '..data'))) return {};
  return Object.fromEntries(
    readdirSync(join(dir, '..data'))
      .filter((name) => !name.startsWith('..'))
      .flatMap((name) => filesBelow(join(dir, '..data'), name))
      .sort(),
  );
}

function filesBelow(dir: string, relative: string): [string, string][] {
  const path = join(dir, relative);
  if (!exists(path)) return [];
  if (!statSync(path).isDirectory()) return [[relative, readFileSync(path, 'utf8')]];
  return readdirSync(path).flatMap((name) => filesBelow(dir, `${relative}/${name}`));
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** The names of the generations in the directory. */
export function generationsIn(dir: string): readonly string[] {
  return readdirSync(dir).filter(isGenerationName);
}

/** Whether a pending notification is stored. */
export function hasPendingFile(dir: string): boolean {
  return readdirSync(dir).includes(`${readlinkSync(join(dir, '..data'))}.pending`);
}

/** Every name in the directory that is not a file of the current generation: reserved names and links that lead nowhere. */
export function leftovers(dir: string): readonly string[] {
  const current = exists(join(dir, '..data')) ? readlinkSync(join(dir, '..data')) : '';
  const expected = ['..data', '..holder', '..lock', '..write-lock', current];
  return readdirSync(dir)
    .filter((name) => !expected.includes(name) && (name.startsWith('..') || !exists(join(dir, name))))
    .sort();
}

/** Inode, times and size of everything in the directory: equal before and after means that nothing was written. */
export function fingerprint(dir: string): readonly string[] {
  return ['', ...readdirSync(dir, { recursive: true, encoding: 'utf8' })].sort().map((name) => {
    const { ino, mode, uid, gid, size, mtimeNs, ctimeNs } = lstatSync(join(dir, name), { bigint: true });
    return [name, ino, mode, uid, gid, size, mtimeNs, ctimeNs].join(' ');
  });
}
