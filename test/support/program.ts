/** The built program, run as its users run it: a process with arguments, an environment and nothing else. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The program under test; PODSECRETS_BINARY names another. */
export const binary = resolve(
  process.env.PODSECRETS_BINARY ?? join(import.meta.dirname, '..', '..', 'dist', 'podsecrets'),
);

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The last line on stderr: an init container's voice. */
  readonly lastLine: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** Everything on stderr so far. */
  stderr(): string;
  /** Resolves as soon as stderr matches; rejects when the program ends without. */
  says(pattern: RegExp): Promise<void>;
}

/** Starts the program with exactly this environment (and PATH), so that the machine's AWS settings stay out. */
export function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  if (!existsSync(binary)) throw new Error(`${binary} is missing: npm run build makes it`);
  const child = spawn(binary, args, {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end();
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = once(child, 'close').then(([code, signal]): Ended => {
    const lastLine = stderr.trimEnd().split('\n').at(-1) ?? '';
    return { code, signal, stdout, stderr, lastLine };
  });

  async function says(pattern: RegExp): Promise<void> {
    let over = false;
    void ended.then(() => {
      over = true;
    });
    while (!pattern.test(stderr)) {
      if (over) throw new Error(`the program ended without saying ${pattern}:\n${stderr}`);
      await Promise.race([once(child.stderr, 'data'), ended]);
    }
  }

  return { child, pid: child.pid ?? 0, ended, stderr: () => stderr, says };
}

/** Runs the program to its end. */
export function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return start(args, env).ended;
}
