/**
 * Watches the config files and reports when the text of one changes.
 *
 * An event only means "read again": the file is compared with its last text, so that a swap of the kubelet, the rename of an
 * editor, and a file that is deleted and written again each make one call, and a touch makes none.
 *
 * The watches are on directories, not on files: every directory along the path that holds a link or the file itself. For a
 * ConfigMap these are the volume, which holds `config.yaml` and `..data`, and the timestamped directory that `..data` points
 * to. Two quick renames end the watch of a file, but not that of its directory. Each file is also read every 10 s, because
 * some changes have no event (a lost event, a mount in the path, no inotify watches left). If that finds a change, all
 * watches are replaced.
 */

import { type FSWatcher, lstatSync, readlinkSync, statSync, watch } from 'node:fs';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';

/** What to watch, and what to call. */
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

/** Watches until `stop`. Every file is watched when it returns. */
export function watchConfigs(options: ConfigWatchOptions, stop: AbortSignal): void {
  for (const file of options.files) watchConfig(file, options, stop);
}

function watchConfig(
  file: string,
  { read, changed, clock, log }: ConfigWatchOptions,
  stop: AbortSignal,
): void {
  let lastText = read(file);
  let pending = false;
  const watches = new DirectoryWatches(() => void readSoon(), reportError);

  /** Whether the text differs from the last one. */
  function readNow(): boolean {
    const text = read(file);
    if (text === lastText) return false;
    lastText = text;
    changed(file);
    return true;
  }

  /** Follows the links again. A change between the reading and the new watches has no event, so the file is read once more. */
  function update(): void {
    for (let attempt = 0; attempt < MAX_ATTEMPTS && watches.set(placesOf(file)); attempt++) readNow();
  }

  async function readSoon(): Promise<void> {
    if (pending) return;
    pending = true;
    await clock.sleep(SETTLE, stop).catch(() => {});
    pending = false;
    if (stop.aborted) return;
    readNow();
    update();
  }

  async function poll(): Promise<void> {
    while (!stop.aborted) {
      await clock.sleep(POLL, stop).catch(() => {});
      if (stop.aborted) return;
      // No event reported the change, so the watches are no longer on the directories of the file.
      if (readNow()) watches.close();
      update();
    }
  }

  let reported = false;
  function reportError(error: unknown): void {
    if (reported) return;
    reported = true;
    const { code = 'an error' } = error as NodeJS.ErrnoException;
    const message = `watching ${file} failed with ${code}; it is read every ${POLL / 1000} s`;
    log.write('config.polling', message, { config: file, error: code });
  }

  stop.addEventListener('abort', () => watches.close(), { once: true });
  update();
  if (!reported) log.write('config.watching', `watching ${file}`, { config: file });
  void poll();
}

/** A path that changes all the time must not block the process: after these attempts, the next event continues. */
const MAX_ATTEMPTS = 3;

/** The watches of one file, each on a directory. */
class DirectoryWatches {
  readonly #open = new Map<string, { readonly watcher: FSWatcher; names: ReadonlySet<string> }>();
  readonly #onEvent: () => void;
  readonly #onError: (error: unknown) => void;

  constructor(onEvent: () => void, onError: (error: unknown) => void) {
    this.#onEvent = onEvent;
    this.#onError = onError;
  }

  /** Watches these places and no others; whether a watch was added. Existing watches stay, so that no event is lost. */
  set(places: readonly Place[]): boolean {
    const wanted = new Map<string, { readonly directory: string; readonly names: Set<string> }>();
    for (const { directory, name } of places) {
      const key = identityOf(directory);
      const { names } = wanted.get(key) ?? { names: new Set() };
      wanted.set(key, { directory, names: names.add(name) });
    }
    for (const key of [...this.#open.keys()]) if (!wanted.has(key)) this.#remove(key);
    let added = false;
    for (const [key, { directory, names }] of wanted) {
      const existing = this.#open.get(key);
      if (existing !== undefined) existing.names = names;
      else added = this.#add(key, directory, names) || added;
    }
    return added;
  }

  close(): void {
    for (const key of [...this.#open.keys()]) this.#remove(key);
  }

  #add(key: string, directory: string, names: ReadonlySet<string>): boolean {
    try {
      const watcher = watch(directory);
      this.#open.set(key, { watcher, names });
      watcher.on('change', (_event, name) => {
        // A directory such as /tmp has many events of other files.
        if (name === null || this.#open.get(key)?.names.has(String(name))) this.#onEvent();
      });
      watcher.on('error', (error) => {
        this.#remove(key);
        this.#onError(error);
      });
      return true;
    } catch (error) {
      this.#onError(error);
      return false;
    }
  }

  #remove(key: string): void {
    this.#open.get(key)?.watcher.close();
    this.#open.delete(key);
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
