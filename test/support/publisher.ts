/**
 * A writer to be killed: publishes generation after generation, as fast as it can.
 *
 *   node test/support/publisher.ts '{"dir":"/dev/shm/x","from":100,"to":200}'
 *
 * It prints `open` when it holds the directory, and with `to` a line `done` when it has published that one and closed. A
 * Problem is printed as one line of JSON and ends it with exit code 6.
 */

import { readdirSync } from 'node:fs';
import { Problem } from '../../src/core/problem.ts';
import { openDirectory } from '../../src/publish/directory.ts';
import type { Owner } from '../../src/publish/snapshot.ts';
import { generationSnapshot } from './generations.ts';
import { realClock } from './real-clock.ts';

export interface Orders {
  readonly dir: string;
  readonly from: number;
  /** The last generation; none: goes on until it is killed. */
  readonly to?: number;
  readonly owner?: Owner;
  readonly mode?: number;
  /** Milliseconds to wait for another writer. */
  readonly lockTimeout?: number;
}

/** Sets that lie in the directory at once, most of them replaced: a fast machine would fill a small /dev/shm in their second. */
const SETS = 100;

if (import.meta.main) await obey(JSON.parse(process.argv[2] ?? '') as Orders);

async function obey({
  dir,
  from,
  to = Number.POSITIVE_INFINITY,
  owner,
  mode,
  lockTimeout = 0,
}: Orders): Promise<void> {
  const stop = new AbortController().signal;
  try {
    const directory = await openDirectory({
      dir,
      owner,
      allowDisk: false,
      user: process.geteuid?.() ?? 0,
      inKubernetes: true,
      holder: 'publisher',
      lockTimeout,
      clock: realClock,
      stop,
    });
    say('open');
    for (let generation = from; generation <= to; generation++) {
      const { files } = generationSnapshot(generation);
      const next = { files: files.map((file) => ({ ...file, mode: mode ?? file.mode })) };
      await directory.publish(next, (change) => change);
      directory.clearPendingNotification();
      // The timers that take replaced sets away want their turn.
      await new Promise(setImmediate);
      while (readdirSync(dir).length > SETS) await realClock.sleep(10, stop);
    }
    await directory.close();
    say('done');
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    say(JSON.stringify({ code: error.code, message: error.message, remedy: error.remedy }));
    process.exitCode = 6;
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
