/**
 * Sets that were replaced, and when they go.
 *
 * A reader may stand between two steps of its own: it has resolved `..data`, or opened it, and not yet the file below. So a
 * replaced set stays for one more second. The kubelet takes it away at once, and there such a reader, rare as it is, finds
 * no file. Longer than that no old value stays: not until the next change, and not after the program has ended.
 */

import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { FileSystem } from './fs.ts';

/** Milliseconds. A reader that is slowed to a hundredth still gets through a set in this time. */
export const CLEANUP_DELAY = 1000;

/** The end of replaced sets. */
export interface GenerationCleanup {
  /** Takes sets away after `wait` milliseconds; at once, and with an error if that cannot be done, when it is 0. */
  scheduleRemoval(sets: readonly string[], wait: number): void;
  /** Resolves when no set waits any more. */
  settled(): Promise<void>;
}

/** For the sets of one directory, by their names in it. */
export function createGenerationCleanup(fs: FileSystem, dir: string, clock: Clock): GenerationCleanup {
  const waiting = new Map<string, Promise<void>>();
  return { scheduleRemoval, settled };

  function scheduleRemoval(sets: readonly string[], wait: number): void {
    for (const set of sets) {
      if (waiting.has(set)) continue;
      if (wait <= 0) remove(set);
      else waiting.set(set, removeLater(set, wait));
    }
  }

  async function removeLater(set: string, wait: number): Promise<void> {
    await clock.sleep(wait, new AbortController().signal);
    waiting.delete(set);
    try {
      remove(set);
    } catch {
      // Nobody is there to be told; the next publish finds the set again, tries at once, and says what is wrong.
    }
  }

  function remove(set: string): void {
    fs.rmSync(join(dir, set), { recursive: true, force: true });
  }

  async function settled(): Promise<void> {
    await Promise.all(waiting.values());
  }
}
