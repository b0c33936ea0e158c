/** The built program, run as its users run it: a process with arguments, an environment and nothing else. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { within } from './wait.ts';

/** The program under test; PODSECRETS_BINARY names another. */
export const binary = resolve(
  process.env.PODSECRETS_BINARY ?? join(import.meta.dirname, '../../dist/podsecrets'),
);

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The last line on stderr, which `kubectl describe` shows. */
  readonly lastLine: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Resolves when it has ended; rejects when it does not end. */
  ended(): Promise<Ended>;
  hasEnded(): boolean;
  /** Everything on stderr so far. */
  stderr(): string;
  /** Resolves as soon as stderr matches; rejects when that does not come. */
  prints(pattern: RegExp): Promise<void>;
}

/**
 * Starts the program with exactly this environment (and PATH), so that the machine's AWS settings stay out. `command`: what
 * starts it, when not the binary itself; it must become the program, because signals go to it.
 */
export function start(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  command: readonly [string, ...string[]] = [binary],
): Running {
  if (!existsSync(binary)) throw new Error(`${binary} is missing: npm run build makes it`);
  const [program, ...words] = command;
  const child = spawn(program, [...words, ...args], {
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
  let end: Ended | undefined;
  const closed = once(child, 'close').then(([code, signal]): Ended => {
    const lastLine = stderr.trimEnd().split('\n').at(-1) ?? '';
    end = { code, signal, stdout, stderr, lastLine };
    return end;
  });
  const name = `podsecrets ${args[0] ?? ''}`;

  async function prints(pattern: RegExp): Promise<void> {
    while (!pattern.test(stderr)) {
      if (end !== undefined) throw new Error(`${name} ended without printing ${pattern}:\n${stderr}`);
      const more = Promise.race([once(child.stderr, 'data'), closed]);
      await within(() => `${name} to print ${pattern}, got:\n${stderr}`, more);
    }
  }

  return {
    child,
    pid: child.pid ?? 0,
    ended: () => within(() => `the end of ${name}, got:\n${stderr}\n${threadsOf(child)}`, closed),
    hasEnded: () => end !== undefined,
    stderr: () => stderr,
    prints,
  };
}

/** Runs the program to its end. */
export function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  command: readonly [string, ...string[]] = [binary],
): Promise<Ended> {
  return start(args, env, command).ended();
}

/** What each thread of a process waits for: shows where a process that does not end is. */
function threadsOf({ pid, exitCode, signalCode }: ChildProcess): string {
  const ended = `exit code ${exitCode}, signal ${signalCode}`;
  try {
    const tasks = `/proc/${pid}/task`;
    const threads = readdirSync(tasks).map((task) => {
      const [state, name, at] = ['stat', 'comm', 'wchan'].map((file) =>
        readFileSync(join(tasks, task, file), 'utf8').trim(),
      );
      return `${task} ${name}: ${state?.split(' ')[2]} in ${at}`;
    });
    return [ended, ...threads].join('\n');
  } catch {
    return `${ended}, and no such process`;
  }
}
