/**
 * Watches the config files and reports when the text of one changes.
 *
 * An event of chokidar only means "read again": the files are compared with their last text. So a swap by the kubelet, a rename by an
 * editor, and a file that is deleted and written again each cause one call, and a touch causes none.
 *
 * The watches are on directories, not on files: every directory along the path that contains a link or the file itself. For a
 * ConfigMap these are the volume, which contains `config.yaml` and `..data`, and the timestamped directory that `..data` points
 * to. Two quick renames end the watch of a file, but not that of its directory. Each file is also read every 10 s, because
 * some changes have no event (a lost event, a mount in the path, no inotify watches left). If that finds a change, all
 * watches are replaced.
 */

import { lstatSync, readlinkSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';

/** The files to watch, and the callback. */
export interface ConfigWatchOptions {
  readonly files: readonly string[];
  /** The text of a file, or that of its error: only compared. Never throws. */
  readonly read: (file: string) => string;
  /** The text of a file changed. */
  readonly changed: (file: string) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Milliseconds from an event to the reading, so that a writer that needs several steps has finished. */
const SETTLE = 100;

/** Milliseconds between readings without an event. */
const POLL = 10_000;

/** A path that changes all the time must not block the process: after so many attempts, the next event or poll continues. */
const MAX_ATTEMPTS = 3;

/** Watches until `stop`. Resolves when every file is watched, or its error is logged. */
export async function watchConfigs(
  { files, read, changed, clock, log }: ConfigWatchOptions,
  stop: AbortSignal,
): Promise<void> {
  const texts = new Map(files.map((file) => [file, read(file)]));
  const failed = new Set<string>();
  let pending = false;
  // The files share their watches, because chokidar keeps one watch per path: a second watcher of a directory that was
  // replaced would get the watch of the old one.
  const watches = new DirectoryWatches(() => void readSoon(), reportError);

  /** Whether a text differs from the last one. */
  function readNow(): boolean {
    let found = false;
    for (const file of files) {
      const text = read(file);
      if (text === texts.get(file)) continue;
      texts.set(file, text);
      found = true;
      changed(file);
    }
    return found;
  }

  /** Follows the links again. A change before a new watch is ready has no event, so the files are read once more. */
  async function update(): Promise<void> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const added = await watches.set(files.flatMap(placesOf));
      if (stop.aborted || !added) return;
      readNow();
    }
  }

  async function readSoon(): Promise<void> {
    if (pending) return;
    pending = true;
    await clock.sleep(SETTLE, stop).catch(() => {});
    pending = false;
    if (stop.aborted) return;
    readNow();
    await update();
  }

  async function poll(): Promise<void> {
    while (!stop.aborted) {
      await clock.sleep(POLL, stop).catch(() => {});
      if (stop.aborted) return;
      // No event reported the change, so the watches are no longer on the directories of the file.
      if (readNow()) watches.close();
      await update();
    }
  }

  function reportError(directory: string, error: unknown): void {
    const { code = 'an error' } = error as NodeJS.ErrnoException;
    for (const file of files) {
      if (failed.has(file) || !placesOf(file).some((place) => place.directory === directory)) continue;
      failed.add(file);
      const message = `watching ${file} failed with ${code}; it is read every ${POLL / 1000} s`;
      log.write('config.polling', message, { config: file, error: code });
    }
  }

  stop.addEventListener('abort', () => watches.close(), { once: true });
  void poll();
  await update();
  if (stop.aborted) return;
  for (const file of files)
    if (!failed.has(file)) log.write('config.watching', `watching ${file}`, { config: file });
}

interface DirectoryWatch {
  readonly watcher: FSWatcher;
  /** The names whose events count. A directory such as /tmp has many events of other files. */
  names: ReadonlySet<string>;
  /** Ends the wait for `ready`, which a closed watcher never emits. */
  readonly settle: () => void;
}

/** Watches of directories. */
class DirectoryWatches {
  readonly #open = new Map<string, DirectoryWatch>();
  readonly #onEvent: () => void;
  readonly #onError: (directory: string, error: unknown) => void;

  constructor(onEvent: () => void, onError: (directory: string, error: unknown) => void) {
    this.#onEvent = onEvent;
    this.#onError = onError;
  }

  /**
   * Watches these places and no others. Existing watches stay, so that no event is lost. Resolves, when the new ones are
   * ready, with whether a watch was added.
   */
  async set(places: readonly Place[]): Promise<boolean> {
    const wanted = new Map<string, { readonly directory: string; readonly names: Set<string> }>();
    for (const { directory, name } of places) {
      const key = identityOf(directory);
      const { names } = wanted.get(key) ?? { names: new Set() };
      wanted.set(key, { directory, names: names.add(name) });
    }
    for (const key of [...this.#open.keys()]) if (!wanted.has(key)) this.#remove(key);
    const added: Promise<void>[] = [];
    for (const [key, { directory, names }] of wanted) {
      const existing = this.#open.get(key);
      if (existing !== undefined) existing.names = names;
      else added.push(this.#add(key, directory, names));
    }
    await Promise.all(added);
    return added.length > 0;
  }

  close(): void {
    for (const key of [...this.#open.keys()]) this.#remove(key);
  }

  /** Resolves when the watch is ready, failed or closed. */
  async #add(key: string, directory: string, names: ReadonlySet<string>): Promise<void> {
    const root = resolve(directory);
    const isWanted = (path: string) => (this.#open.get(key)?.names ?? names).has(basename(path));
    try {
      const watcher = watch(directory, {
        ignored: (path) => resolve(path) !== root && !isWanted(path),
        depth: 0,
        followSymlinks: false,
        ignoreInitial: true,
        // Both would delay events.
        atomic: false,
        awaitWriteFinish: false,
      });
      // `all` has only what chokidar finds changed when it compares the times of the files, `raw` every event.
      watcher.on('all', () => this.#onEvent());
      watcher.on('raw', (_event, path) => {
        if (path === null || isWanted(path)) this.#onEvent();
      });
      watcher.on('error', (error) => this.#onError(directory, error));
      const { promise, resolve: settle } = Promise.withResolvers<void>();
      watcher.once('ready', settle);
      this.#open.set(key, { watcher, names, settle });
      await promise;
    } catch (error) {
      // For example because the variable CHOKIDAR_INTERVAL is not a number.
      this.#onError(directory, error);
    }
  }

  #remove(key: string): void {
    const watch = this.#open.get(key);
    this.#open.delete(key);
    watch?.settle();
    void watch?.watcher.close();
  }
}

/** A directory by its inode: one that was replaced under the same name needs another watch. */
function identityOf(directory: string): string {
  try {
    const { dev, ino } = statSync(directory);
    return `${directory} ${dev}:${ino}`;
  } catch {
    return directory;
  }
}

/** A name in a directory that decides what a path leads to. */
interface Place {
  readonly directory: string;
  readonly name: string;
}

/** The limit of Linux for one path. */
const MAX_LINKS = 40;

/** Every link along the path, and its end: the file, or the first name that does not exist. */
function placesOf(file: string): readonly Place[] {
  const places: Place[] = [];
  let directory = file.startsWith('/') ? '/' : '.';
  let links = 0;
  const rest = file.split('/');
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === '' || name === '.') continue;
    const path = directory === '/' ? `/${name}` : `${directory}/${name}`;
    const target = linkTarget(path);
    if (target === undefined && rest.length > 0 && isDirectory(path)) {
      directory = path;
      continue;
    }
    places.push({ directory, name });
    if (target === undefined || ++links > MAX_LINKS) break;
    if (target.startsWith('/')) directory = '/';
    rest.unshift(...target.split('/'));
  }
  return places;
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function isDirectory(path: string): boolean {
  try {
    return lstatSync(path).isDirectory();
  } catch {
    return false;
  }
}
