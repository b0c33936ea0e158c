/**
 * The trial by kill -9: writers are killed at random moments of their publishes, one after another, under a reader that
 * never rests.
 */

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { companion } from './companion.ts';
import type { Orders } from './publisher.ts';
import type { Report } from './reader.ts';

export interface Trial {
  readonly dir: string;
  readonly kills: number;
  /** From 0 up to but not 1. */
  readonly random: () => number;
}

export interface Verdict {
  readonly report: Report;
  /** Kills after which the directory showed that a publish had been under way. */
  readonly interrupted: number;
  /** The generation of the last publish, which was left to end in peace. */
  readonly last: number;
}

/** Milliseconds. A publish takes about 1 ms here: the kill comes anywhere in the first few, or among the later ones. */
const LONGEST_LIFE = 20;

/** More generations than a writer gets through: each writer starts above whatever the one before has published. */
const STRIDE = 100_000;

/** Milliseconds that a writer waits for the lock. */
const PATIENCE = 30_000;

export async function killTrial({ dir, kills, random }: Trial): Promise<Verdict> {
  const last = (kills + 1) * STRIDE;
  const reader = companion('reader.ts', dir);
  let interrupted = 0;
  let writer = companion('publisher.ts', orders({ dir, from: STRIDE, patience: PATIENCE }));
  for (let kill = 1; kill <= kills; kill++) {
    await writer.said('open');
    // The next one starts meanwhile and waits for the lock, as the container does that takes the place of a killed one.
    const from = (kill + 1) * STRIDE;
    const next = companion(
      'publisher.ts',
      orders({ dir, from, patience: PATIENCE, ...(kill === kills ? { to: last } : {}) }),
    );
    if (kill === 1) await reader.said('reading');
    await new Promise((resolve) => setTimeout(resolve, random() * LONGEST_LIFE));
    writer.kill('SIGKILL');
    await writer.ended;
    if (showsInterruption(dir)) interrupted++;
    writer = next;
  }
  await writer.said('done');
  reader.kill('SIGTERM');
  const report = JSON.parse((await reader.ended).at(-1) ?? '') as Report;
  return { report, interrupted, last };
}

function orders(what: Orders): string {
  return JSON.stringify(what);
}

/** A link that was never renamed, a name that leads nowhere, or a set that was never opened to others. */
export function showsInterruption(dir: string): boolean {
  return readdirSync(dir, { withFileTypes: true }).some((entry) => {
    const path = join(dir, entry.name);
    if (entry.name === '..data_tmp') return true;
    if (entry.isDirectory()) return (statSync(path, { throwIfNoEntry: false })?.mode ?? 0o755) % 0o100 === 0;
    return entry.isSymbolicLink() && !existsSync(path);
  });
}
