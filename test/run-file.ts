/**
 * Runs one test file in a process of its own, with a timeout, and counts its tests.
 *
 * The result never waits for longer than the timeout and a few seconds. A process that the file started in another session holds
 * its output open after its end, and no kill of the process group reaches it: such a file has failed, and says why.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { NOT_TESTED } from './support/allowed.ts';

/** What a file printed, and how many of its tests passed and failed. */
export interface Outcome {
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
  readonly output: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds for the file. */
  readonly timeout: number;
  /** Milliseconds that its output may stay open after its end. Default: 5000. */
  readonly grace?: number;
}

/** Process groups of the running files. They would outlive an interrupted run. */
const running = new Set<number | undefined>();

/** Kills all running files. */
export function killAll(): void {
  for (const pid of running) killGroup(pid);
}

/** The outcome of a file; never rejects. */
export function runFile(file: string, { cwd, env, timeout, grace = 5000 }: RunOptions): Promise<Outcome> {
  const start = performance.now();
  return new Promise((resolve) => {
    // A separate process group, so that the children of a stuck test are killed with it.
    const child = spawn(process.execPath, ['--no-warnings', file], {
      cwd,
      detached: true,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child.pid);
    let output = '';
    const collect = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const timer = setTimeout(() => {
      output += `\nstopped after ${timeout / 1000} s\n`;
      killGroup(child.pid);
    }, timeout);
    let isHeld = false;
    child.on('exit', () => {
      killGroup(child.pid);
      const release = setTimeout(() => {
        isHeld = true;
        output += '\na process that it started in another session still runs, and holds its output open\n';
        closeOutput(child);
      }, grace);
      child.on('close', () => clearTimeout(release));
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      running.delete(child.pid);
      const seconds = (performance.now() - start) / 1000;
      resolve({ file, output, seconds, ...countTests(output, code !== 0 || signal !== null || isHeld) });
    });
  });
}

function closeOutput({ stdout, stderr }: ChildProcess): void {
  stdout?.destroy();
  stderr?.destroy();
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // The group is gone already.
  }
}

/** Adds up uvu's closing lines, one block per suite. A file that ran no test has failed, unless it says why none can run here. */
function countTests(output: string, isBroken: boolean): { passed: number; failed: number } {
  const sum = (label: string) =>
    [...output.matchAll(new RegExp(`^\\s*${label}:\\s+(\\d+)`, 'gm'))].reduce(
      (total, match) => total + Number(match[1]),
      0,
    );
  const [total, passed] = [sum('Total'), sum('Passed')];
  const failed = total - passed;
  const isEmpty = total === 0 && !output.split('\n').some((line) => line.startsWith(NOT_TESTED));
  return { passed, failed: failed === 0 && (isBroken || isEmpty) ? 1 : failed };
}
