/**
 * Says when a config may have changed.
 *
 * A path is watched, not a file: a ConfigMap is updated by the swap of a link above it, an editor writes a new file and
 * renames it, a file may go and come back. Any event only wakes; whoever is woken reads again and compares. Events that the
 * system loses cost no more than a refresh interval, for the config is read again at every refresh too.
 */

import { watch } from 'chokidar';
import type { Log } from '../ports.ts';

export interface ConfigWatch {
  /** Resolves when nothing is watched any more. */
  close(): Promise<void>;
}

export interface ConfigWatchOptions {
  /** Something happened to one of the files. May come several times for one change, and for none. */
  readonly changed: () => void;
  readonly log: Log;
}

/** Between two looks where inotify cannot be used, in milliseconds. */
const POLL = 10_000;

/** Watches the files; those that do not exist too. */
export function watchConfigs(files: readonly string[], { changed, log }: ConfigWatchOptions): ConfigWatch {
  let watcher = open(false);
  let closed = false;

  function open(usePolling: boolean) {
    const opened = watch([...files], { ignoreInitial: true, usePolling, interval: POLL });
    opened.on('all', changed);
    opened.on('error', (error) => fail(error as NodeJS.ErrnoException, usePolling));
    return opened;
  }

  /** The node's limits of inotify (ENOSPC: watches, EMFILE: instances) are shared by all its containers. */
  function fail(error: NodeJS.ErrnoException, polling: boolean): void {
    if (closed || polling) return;
    log.write('warn', 'config.polling', `configs are looked at every 10 s, for they cannot be watched`, {
      cause: error.code ?? error.name,
    });
    void watcher.close();
    watcher = open(true);
    changed();
  }

  return {
    close() {
      closed = true;
      return watcher.close();
    },
  };
}
