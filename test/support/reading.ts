/** The reader (reader.ts) as a separate process, which reads while others write; a test can wait for a complete turn. */

import { startChild } from './child.ts';
import type { Report } from './reader.ts';

export interface Reading {
  /** Resolves when a turn is over that began after this was called: with everything read until then. */
  turn(): Promise<Report>;
  /** Ends it; resolves with all that it saw. */
  end(): Promise<Report>;
  /** For a test that fails. */
  kill(): void;
}

/** Starts it; resolves when it has read the first generation. `paths`: those of every generation; default: those of publisher.ts. */
export async function startReader(dir: string, paths: readonly string[] = []): Promise<Reading> {
  const reader = startChild('reader.ts', [dir, ...paths]);
  let reports = 1;
  const next = async () => JSON.parse(await reader.line(reports)) as Report;
  await next();
  return {
    turn() {
      reports++;
      reader.kill('SIGUSR2');
      return next();
    },
    end() {
      reports++;
      reader.kill('SIGTERM');
      return next();
    },
    kill: () => reader.kill('SIGKILL'),
  };
}
