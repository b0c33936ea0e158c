/** A program of test/support in a process of its own, and what it says. */

import { spawn } from 'node:child_process';
import { join } from 'node:path';

export interface Companion {
  /** Resolves as soon as it has printed this line; rejects when it ends without. */
  said(line: string): Promise<void>;
  /** Every line it printed, when it has ended. */
  readonly ended: Promise<readonly string[]>;
  kill(signal: 'SIGKILL' | 'SIGTERM'): void;
}

export interface CompanionOptions {
  /** Runs as this user and group, with no other groups; needs root. */
  readonly uid?: number;
  readonly gid?: number;
  /** What comes before node, such as `unshare --mount`. */
  readonly wrapper?: readonly string[];
}

/** Starts `node test/support/<file> <words>`; what goes wrong in it shows on our stderr. */
export function companion(
  file: string,
  argument: string | readonly string[],
  options: CompanionOptions = {},
): Companion {
  const { wrapper = [], ...user } = options;
  const [command = '', ...words] = [
    ...wrapper,
    process.execPath,
    '--no-warnings',
    join(import.meta.dirname, file),
    ...[argument].flat(),
  ];
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'], ...user });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const lines = () => output.split('\n').slice(0, -1);
  const ended = new Promise<readonly string[]>((resolve) => child.on('close', () => resolve(lines())));
  return {
    ended,
    kill: (signal) => child.kill(signal),
    said: (line) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (lines().includes(line)) resolve();
        };
        look();
        child.stdout.on('data', look);
        void ended.then(() => reject(new Error(`expected it to say ${line}, got ${JSON.stringify(output)}`)));
      }),
  };
}
