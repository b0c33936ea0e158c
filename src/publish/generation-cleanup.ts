/**
 * Removes generations that were replaced.
 *
 * A reader may be between two steps: it has resolved `..data`, or opened it, and not yet the file below. So a replaced
 * generation stays for one more second. The kubelet removes it at once, so that in a ConfigMap volume such a reader, though
 * rare, finds no file. No old value stays longer: not until the next change, and not after the program has ended.
 */

import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { FileSystem } from './fs.ts';

/** Milliseconds. Long enough for a reader that is 100 times slower than usual to read a whole generation. */
export const CLEANUP_DELAY = 1000;

/** Pending removals of replaced generations. */
export interface GenerationCleanup {
  /** Removes generations after `wait` milliseconds; with 0 at once, and with an error if that fails. */
  scheduleRemoval(generations: readonly string[], wait: number): void;
  /** Resolves when no removal is pending. */
  settled(): Promise<void>;
}

/** For the generations of one directory, by their names in it. */
export function createGenerationCleanup(fs: FileSystem, dir: string, clock: Clock): GenerationCleanup {
  const waiting = new Map<string, Promise<void>>();
  return { scheduleRemoval, settled };

  function scheduleRemoval(generations: readonly string[], wait: number): void {
    for (const generation of generations) {
      if (waiting.has(generation)) continue;
      if (wait <= 0) remove(generation);
      else waiting.set(generation, removeLater(generation, wait));
    }
  }

  async function removeLater(generation: string, wait: number): Promise<void> {
    await clock.sleep(wait, new AbortController().signal);
    waiting.delete(generation);
    try {
      remove(generation);
    } catch {
      // No caller is waiting; the next publish finds the generation again, tries at once, and fails with the reason.
    }
  }

  function remove(generation: string): void {
    fs.rmSync(join(dir, generation), { recursive: true, force: true });
  }

  async function settled(): Promise<void> {
    await Promise.all(waiting.values());
  }
}
