/**
 * Watches the config files, and says when one of them reads differently.
 *
 * An event only means "look again": the file is read and compared with what it said before, so that the kubelet's link swap,
 * an editor's rename and a file that is deleted and written anew all come to one call, and a touch to none. A slow look
 * without any event is the safety net for what no event tells; where the system has no watches left, that look is all there
 * is, and is taken more often. Costs 1 MB of private memory and 4 ms, so it is loaded only by who watches.
 */

import type { FSWatcher } from 'chokidar';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';

/** What to watch, and whom to tell. */
export interface ConfigWatchOptions {
  readonly files: readonly string[];
  /** What a file says, or what its error says: compared, and given to nobody. Never throws. */
  readonly read: (file: string) => string;
  /** A file reads differently than it did. */
  readonly changed: (file: string) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Watches until `stop`. Resolves as soon as every file is watched. */
export async function watchConfigs(options: ConfigWatchOptions, stop: AbortSignal): Promise<void> {
  const { watch } = await import('chokidar');
  await Promise.all(
    // A watcher for each: one that has several files does not wait for the return of a deleted one.
    options.files.map((file) => watchConfig(file, watch, options, stop)),
  );
}

/** Milliseconds between an event and the look: what writes a file in several steps has ended by then. */
const SETTLING = 100;

/** Milliseconds between looks without an event, with watches and without. */
const NET = 60_000;
const POLL = 10_000;

function watchConfig(
  file: string,
  watch: (path: string, options: { persistent: boolean; ignoreInitial: boolean }) => FSWatcher,
  { read, changed, clock, log }: ConfigWatchOptions,
  stop: AbortSignal,
): Promise<void> {
  let known = read(file);
  let looking = false;
  let pause = NET;

  function look(): void {
    const now = read(file);
    if (now === known) return;
    known = now;
    changed(file);
  }

  async function lookSoon(): Promise<void> {
    if (looking) return;
    looking = true;
    await clock.sleep(SETTLING, stop).catch(() => {});
    looking = false;
    if (!stop.aborted) look();
  }

  async function lookOften(): Promise<void> {
    while (!stop.aborted) {
      await clock.sleep(pause, stop).catch(() => {});
      if (!stop.aborted) look();
    }
  }

  void lookOften();
  return new Promise((resolve) => {
    // Not unreferenced by `persistent: false`: chokidar then hears no errors of the watches, and they would end the program.
    const watcher = watch(file, { persistent: true, ignoreInitial: true });
    watcher.on('all', lookSoon);
    watcher.on('ready', () => {
      if (pause === NET) log.write('debug', 'config.watching', `watching ${file}`, { config: file });
      // What was written between the first reading and the first watch.
      look();
      resolve();
    });
    watcher.on('error', (error) => {
      if (pause === POLL) return;
      pause = POLL;
      const { code = 'an error' } = error as NodeJS.ErrnoException;
      const message = `watching ${file} failed with ${code}; it is read every ${POLL / 1000} s`;
      log.write('warn', 'config.polling', message, { config: file, error: code });
      resolve();
    });
    stop.addEventListener('abort', () => void watcher.close(), { once: true });
  });
}
