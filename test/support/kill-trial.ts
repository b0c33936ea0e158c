/**
 * Kills writers with SIGKILL at random moments of their publishes, one after another, while a reader reads all the time.
 *
 * Progress drives it, not time: a writer is killed at a change that it makes, the next kill waits until the reader has read
 * every file once more, and it goes on until enough kills came in the middle of a publish.
 */

import { existsSync, readdirSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import type { PublisherOptions } from './publisher.ts';
import type { Report } from './reader.ts';
import { startReader } from './reading.ts';
import { within } from './wait.ts';

export interface Trial {
  readonly dir: string;
  /** How many writers are killed, at least. */
  readonly kills: number;
  /** After how many kills, at least, the directory shows that a publish was under way. */
  readonly interrupted: number;
  /** From 0 to less than 1. */
  readonly random: () => number;
}

export interface Verdict {
  readonly report: Report;
  readonly kills: number;
  readonly interrupted: number;
  /** The generation of the last publish, which was not interrupted. */
  readonly last: number;
}

/** Changes that inotify reports for some three publishes: the kill comes at one of them. */
const CHANGES = 40;

/** More generations than one writer publishes, so that each writer starts above those of the one before. */
const STRIDE = 100_000;

/** Milliseconds that a writer waits for the lock: longer than any trial. */
const LOCK_TIMEOUT = 3_600_000;

export async function killTrial({ dir, random, ...enough }: Trial): Promise<Verdict> {
  const most = enough.kills * 10;
  let interrupted = 0;
  let kills = 0;
  const started: { kill(signal: 'SIGKILL'): void }[] = [];
  try {
    let writer = startWriter({ dir, from: STRIDE });
    const reader = await startReader(dir);
    started.push(reader);
    while (kills < enough.kills || interrupted < enough.interrupted) {
      if (kills === most) {
        throw new Error(
          `expected ${enough.interrupted} of ${most} kills in the middle of a publish, got ${interrupted}`,
        );
      }
      await writer.prints('open');
      // The next writer starts meanwhile and waits for the lock, like the container that replaces a killed one.
      const from = ++kills * STRIDE;
      const next = startWriter({ dir, from: from + STRIDE });
      // Every other writer is killed in or soon after its first publish, the others when the reader has read one of theirs.
      if (kills % 2 === 0) while ((await reader.turn()).newest < from);
      await change(dir, Math.ceil(random() * CHANGES), writer);
      writer.kill('SIGKILL');
      await writer.ended();
      if (showsInterruption(dir)) interrupted++;
      await reader.turn();
      writer = next;
    }
    writer.kill('SIGKILL');
    await writer.ended();
    const last = (kills + 2) * STRIDE;
    await startWriter({ dir, from: last, to: last }).prints('done');
    return { report: await reader.end(), kills, interrupted, last };
  } finally {
    for (const one of started) one.kill('SIGKILL');
  }

  function startWriter(orders: PublisherOptions): Child {
    const writer = startChild('publisher.ts', JSON.stringify({ ...orders, lockTimeout: LOCK_TIMEOUT }));
    started.push(writer);
    return writer;
  }
}

/** Resolves at the `count`th change in the directory from now on; rejects when the writer ends before. */
async function change(dir: string, count: number, writer: Child): Promise<void> {
  let left = count;
  const seen = Promise.withResolvers<void>();
  const watcher = watch(dir, () => --left <= 0 && seen.resolve());
  const changed = within(() => `${left} more changes by the writer`, seen.promise);
  const ended = writer.ended().then((lines) => {
    throw new Error(`expected the writer to publish until it is killed, got ${JSON.stringify(lines)}`);
  });
  try {
    await Promise.race([changed, ended]);
  } finally {
    watcher.close();
  }
}

/** A link that was never renamed, a name that leads nowhere, or a generation that was never opened to others. */
export function showsInterruption(dir: string): boolean {
  return readdirSync(dir, { withFileTypes: true }).some((entry) => {
    const path = join(dir, entry.name);
    if (entry.name === '..data_tmp') return true;
    if (entry.isDirectory()) return (statSync(path, { throwIfNoEntry: false })?.mode ?? 0o755) % 0o100 === 0;
    return entry.isSymbolicLink() && !existsSync(path);
  });
}
