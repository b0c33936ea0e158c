/**
 * Removes generations that were replaced. The holder of the directory does this, because a worker that published and
 * then waited would keep its values in memory for a second longer.
 *
 * A reader may be between two steps: it has resolved or opened `..data`, but not yet opened the file below. So a replaced
 * generation stays for one more second. The kubelet removes it at once, so in a ConfigMap volume such a reader sometimes finds no
 * file. A generation stays longer only while a hook has not succeeded for its change (`keptForRedaction`). It is removed without
 * waiting for the next change, and before the program ends.
 */

import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { FileSystem } from './fs.ts';
import { type Layout, readLayout, remainingDelay } from './layout.ts';
import type { Lock } from './lock.ts';
import { readPendingNotification, replacedToRedact } from './pending-notification.ts';
import { fits, spaceBelow, volumeSpace } from './space.ts';

/** The removal of replaced generations. */
export interface GenerationCleanup {
  /**
   * Removes generations that no reader can use any more, now, and the others when they are due. Rejects if a removal that is due fails, or
   * another process changes the directory for too long; the next call tries again.
   */
  run(): Promise<void>;
  /** Resolves when no removal is pending. */
  settled(): Promise<void>;
}

/** The directory, and its write lock. */
export interface CleanupOptions {
  readonly fs: FileSystem;
  readonly dir: string;
  readonly clock: Clock;
  readonly takeLock: () => Promise<Lock>;
}

/** For the generations of one directory. */
export function createGenerationCleanup({ fs, dir, clock, takeLock }: CleanupOptions): GenerationCleanup {
  /** When each replaced generation may be removed, by `clock.elapsed`. */
  const due = new Map<string, number>();
  let later: Promise<void> | undefined;
  return { run, settled };

  async function run(): Promise<void> {
    // Nothing to remove is the usual case, and needs no lock.
    if (replacedGenerations().length === 0) return;
    // A generation that is being created by another process is not current yet either.
    const lock = await takeLock();
    try {
      removeDue();
    } finally {
      lock.release();
    }
  }

  function replacedGenerations(): readonly string[] {
    const layout = readLayout(fs, dir);
    const kept = keptForRedaction(fs, dir, layout);
    return layout.otherGenerations.filter((name) => !kept.has(name));
  }

  function removeDue(): void {
    const now = clock.elapsed();
    const wait = remainingDelay(readLayout(fs, dir), clock.now());
    const replaced = replacedGenerations();
    for (const name of due.keys()) if (!replaced.includes(name)) due.delete(name);
    for (const name of replaced) {
      const at = due.get(name) ?? now + wait;
      due.set(name, at);
      if (at > now) continue;
      fs.rmSync(join(dir, name), { recursive: true, force: true });
      due.delete(name);
    }
    if (due.size > 0) later ??= runLater(Math.min(...due.values()) - now);
  }

  async function runLater(wait: number): Promise<void> {
    await clock.sleep(wait, new AbortController().signal);
    later = undefined;
    try {
      await run();
    } catch {
      // No caller is waiting; the next call tries at once, and rejects with the reason.
    }
  }

  async function settled(): Promise<void> {
    while (later !== undefined) await later;
  }
}

/**
 * The names of the replaced generations that stay until the application was notified: one or none. Throws errors of the file system.
 *
 * A hook that is notified of a new password may print the old one, which may still be valid: AWS keeps the previous version. To
 * redact it, the value is read from the replaced generation, so that no process keeps it in memory. The directory then contains at
 * most two generations, and they take at most half of the volume, because the next one must fit.
 */
function keptForRedaction(fs: FileSystem, dir: string, layout: Layout): ReadonlySet<string> {
  const [replaced] = replacedToRedact(readPendingNotification(fs, dir, layout)) ?? [];
  const { current } = layout;
  if (current === undefined || replaced === undefined) return new Set();
  if (!layout.otherGenerations.includes(replaced)) return new Set();
  const both = [current.name, replaced].map((name) => spaceBelow(fs, join(dir, name)));
  const needed = {
    bytes: both.reduce((sum, { bytes }) => sum + bytes, 0),
    inodes: both.reduce((sum, { inodes }) => sum + inodes, 0),
  };
  const { size } = volumeSpace(fs, dir);
  const half = { bytes: size.bytes / 2, inodes: size.inodes / 2 };
  return fits(needed, half) ? new Set([replaced]) : new Set();
}
