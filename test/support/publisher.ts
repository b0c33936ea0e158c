/**
 * A writer to be killed: publishes generation after generation, as fast as it can.
 *
 *   node test/support/publisher.ts '{"dir":"/dev/shm/x","from":100,"to":200}'
 *
 * It prints `open` when it has the lock, and with `to` a line `done` when it has published that one and closed. A Problem is
 * printed as one line of JSON and ends it with exit code 6.
 */

import { readdirSync } from 'node:fs';
import { Problem } from '../../src/core/problem.ts';
import { openDirectory } from '../../src/publish/directory.ts';
import { holdDirectory } from '../../src/publish/held-directory.ts';
import type { Owner } from '../../src/publish/snapshot.ts';
import { generationSnapshot } from './generations.ts';
import { realClock } from './real-clock.ts';

export interface PublisherOptions {
  readonly dir: string;
  readonly from: number;
  /** The last generation; none: goes on until it is killed. */
  readonly to?: number;
  readonly owner?: Owner;
  readonly mode?: number;
  /** Milliseconds to wait for another writer. */
  readonly lockTimeout?: number;
}

/** Names in the directory at once, most of them replaced generations: a fast machine would fill a small /dev/shm in a second. */
const MAX_NAMES = 100;

if (import.meta.main) await publishAll(JSON.parse(process.argv[2] ?? '') as PublisherOptions);

async function publishAll({
  dir,
  from,
  to = Number.POSITIVE_INFINITY,
  owner,
  mode,
  lockTimeout = 0,
}: PublisherOptions): Promise<void> {
  const stop = new AbortController().signal;
  try {
    const options = {
      dir,
      allowDisk: false,
      user: process.geteuid?.() ?? 0,
      inKubernetes: true,
      lockTimeout,
      clock: realClock,
      stop,
    };
    const held = await holdDirectory(options);
    const writer = openDirectory({ ...options, directory: held, owner, keepReplaced: true });
    print('open');
    for (let generation = from; generation <= to; generation++) {
      const { files } = generationSnapshot(generation);
      const next = { files: files.map((file) => ({ ...file, mode: mode ?? file.mode })) };
      const published = await writer.publish(next, { announce: 'always' });
      held.clearPendingNotification(published.generation);
      await held.removeReplaced();
      // The timers that remove replaced generations must run.
      await new Promise(setImmediate);
      while (readdirSync(dir).length > MAX_NAMES) await realClock.sleep(10, stop);
    }
    await held.close();
    print('done');
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    print(JSON.stringify({ code: error.code, message: error.message, remedy: error.remedy }));
    process.exitCode = 6;
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
