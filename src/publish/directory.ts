/**
 * Publishes to a directory that is held (held-directory.ts), by this process or by the one that started it.
 *
 * Each publish takes its own lock, and is safe against kill -9 after any step (publish.ts).
 */

import * as nodeFs from 'node:fs';
import { writeAppliedSecrets } from './applied-secrets.ts';
import type { FileSystem } from './fs.ts';
import { explainedAsync } from './fs-problems.ts';
import type { DirectoryHandle } from './held-directory.ts';
import { checkDirectoryIdentity } from './identity.ts';
import { type LockOptions, takeWriteLock } from './lock.ts';
import { type Announce, type Published, publish } from './publish.ts';
import type { Owner, Snapshot } from './snapshot.ts';

/** Which directory, and how. `lockTimeout`: how long to wait for another writer; `stop` ends the wait. */
export interface DirectoryOptions extends LockOptions {
  readonly directory: DirectoryHandle;
  /** The owner of the published files; undefined: the user of this process. */
  readonly owner: Owner | undefined;
  /** Whether a hook or an endpoint is notified, whose output may show values of the generation that a publish replaces. */
  readonly keepReplaced: boolean;
  readonly fs?: FileSystem;
}

/** A writer of one directory. */
export interface Directory {
  /**
   * Makes the directory contain exactly this snapshot, in one step, or rejects with a Problem of stage `publish` and leaves it as
   * it was. The pending names are stored with the generation until `clearPendingNotification` of the holder, beyond the end
   * of the process.
   */
  publish(next: Snapshot, options: { readonly announce: Announce }): Promise<Published>;
  /**
   * Stores which Kubernetes Secrets were applied from a generation, as a text without values, beyond the end of the process.
   * Rejects with a Problem.
   */
  recordAppliedSecrets(generation: string, text: string): Promise<void>;
}

/** A writer to a directory that is held. Opens and locks nothing before it publishes. */
export function openDirectory(options: DirectoryOptions): Directory {
  const { owner, clock, keepReplaced, fs = nodeFs } = options;
  const { path: dir, identity } = options.directory;
  return {
    publish: (next, { announce }) =>
      explainedAsync({ fs, dir, owner, next }, () =>
        locked(() => publish({ fs, dir, owner, keepReplaced }, next, clock.now(), announce)),
      ),
    recordAppliedSecrets: (generation, text) =>
      explainedAsync({ fs, dir, owner }, () => locked(() => writeAppliedSecrets(fs, dir, generation, text))),
  };

  async function locked<Result>(change: () => Result): Promise<Result> {
    // Before the lock too: its file must not be created below an unmounted volume.
    checkDirectoryIdentity(fs, dir, identity);
    const lock = await takeWriteLock(dir, options);
    try {
      checkDirectoryIdentity(fs, dir, identity);
      return change();
    } finally {
      lock.release();
    }
  }
}
