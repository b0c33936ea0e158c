/** Runs a program of test/support in a separate process and reads its output. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { readableCopy } from './readable-copy.ts';
import { within } from './wait.ts';

export interface Child {
  /** Resolves as soon as it has printed this line; rejects if it does not. */
  prints(line: string): Promise<void>;
  /** Resolves with the `count`th line as soon as it has printed so many; rejects if it does not. */
  line(count: number): Promise<string>;
  /** Every line it printed, when it has ended; rejects when it does not end. */
  ended(): Promise<readonly string[]>;
  kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGUSR2'): void;
}

export interface ChildOptions {
  /** Runs as this user and group, with no other groups; needs root. */
  readonly uid?: number;
  readonly gid?: number;
  /** What comes before node, such as `unshare --mount`. */
  readonly wrapper?: readonly string[];
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts `node test/support/<file> <words>`; its errors appear on the stderr of the test. */
export function startChild(
  file: string,
  argument: string | readonly string[],
  options: ChildOptions = {},
): Child {
  const { wrapper = [], ...user } = options;
  const copy = Object.keys(options).length > 0 ? readableCopy() : undefined;
  const [command = '', ...words] = [
    ...wrapper,
    copy?.node ?? process.execPath,
    '--no-warnings',
    copy?.path(`test/support/${file}`) ?? join(import.meta.dirname, file),
    ...[argument].flat(),
  ];
  const child = spawn(command, words, {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'inherit'],
    ...user,
  });
  running.add(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const lines = () => output.split('\n').slice(0, -1);
  let over = false;
  const closed = once(child, 'close').then((): readonly string[] => {
    over = true;
    running.delete(child);
    return lines();
  });

  async function until<Found>(what: string, find: () => Found | undefined): Promise<Found> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (over) throw new Error(`expected it to print ${what}, got ${JSON.stringify(output)}`);
      const more = Promise.race([once(child.stdout, 'data'), closed]);
      await within(() => `${file} to print ${what}, got ${JSON.stringify(output.slice(-2000))}`, more);
    }
  }

  return {
    ended: () => within(() => `the end of ${file}, got ${JSON.stringify(output.slice(-2000))}`, closed),
    kill: (signal) => child.kill(signal),
    prints: async (line) => {
      await until(line, () => lines().includes(line) || undefined);
    },
    line: (count) => until(`${count} lines`, () => lines()[count - 1]),
  };
}
