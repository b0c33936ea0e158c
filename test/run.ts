/**
 * Runs every test file in its own process, two or more at a time, and ends with one line: `N passed, N failed`.
 *
 * uvu runs files in one process and has no timeout: a hanging test would hang the run, and a file that forgets `.run()` would
 * pass without a test. Here each file has a process and a timeout, and fails unless it runs at least one test. Variables for
 * AWS and for proxies are removed from its environment.
 *
 *   node test/run.ts             the tests, except test/soak, test/cluster, test/node, test/moto and test/kernel
 *   node test/run.ts --soak      only test/soak
 *   node test/run.ts --cluster   only test/cluster, on the cluster of KUBECONFIG (test/cluster/run.ts starts one)
 *   node test/run.ts --node      only test/node, on a node that test/node/run.ts starts; one file at a time
 *   node test/run.ts --moto      only test/moto, on moto (test/moto/run.ts installs it, and needs python3)
 *   node test/run.ts --kernel    only test/kernel, on the running kernel (test/kernel/run.ts boots one)
 *   node test/run.ts core/text   only the files whose path contains one of the words
 */

import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { NOT_TESTED } from './support/allowed.ts';

interface Outcome {
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
  readonly output: string;
}

const root = join(import.meta.dirname, '..');
const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const group = ['soak', 'cluster', 'node', 'moto', 'kernel'].find((name) =>
  process.argv.includes(`--${name}`),
);
/**
 * Timeout for one file in seconds: a multiple of what the slowest takes, for slow or busy machines. A file of test/soak that
 * hangs must end, with its name, before .ci/run stops the whole run.
 */
const timeout = group === undefined ? 300 : group === 'soak' ? 600 : 1800;
/** Each file starts processes and needs memory and space in /dev/shm. One more than there are cores, because many wait for intervals. */
const cores = Math.min(8, Math.max(2, availableParallelism()));
const concurrency = group === undefined ? cores + 1 : group === 'node' ? 1 : cores;
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(AWS_.*|(.*_)?(HTTPS?|NO|ALL)_PROXY)$/i.test(name)),
);

const files = globSync('test/**/*.test.ts', { cwd: root })
  .filter((file) => /^test\/(soak|cluster|node|moto|kernel)\//.exec(file)?.[1] === group)
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort(longestFirst);

/** Process groups of the running files. They would outlive an interrupted run. */
const running = new Set<number | undefined>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    for (const pid of running) killGroup(pid);
    process.exit(1);
  });
}

const outcomes: Outcome[] = [];
const queue = [...files];
await Promise.all(Array.from({ length: concurrency }, work));

for (const { file, output } of outcomes.filter((outcome) => outcome.failed > 0)) {
  process.stdout.write(`\n── ${file}\n${output}\n`);
}
for (const { file, output } of outcomes) {
  for (const line of output.split('\n').filter((text) => text.startsWith(NOT_TESTED)))
    process.stdout.write(`!! ${line} (${file})\n`);
}
const slow = [...outcomes].sort((a, b) => b.seconds - a.seconds).slice(0, 5);
process.stdout.write(
  `\nslowest: ${slow.map(({ file, seconds }) => `${file} ${seconds.toFixed(1)}s`).join(', ')}\n`,
);
const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
const failed = outcomes.reduce((sum, outcome) => sum + outcome.failed, 0) + (files.length === 0 ? 1 : 0);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

async function work(): Promise<void> {
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    const outcome = await runFile(file);
    outcomes.push(outcome);
    const mark = outcome.failed === 0 ? 'ok  ' : 'FAIL';
    process.stdout.write(
      `${mark} ${relative('test', file)} (${outcome.passed}, ${outcome.seconds.toFixed(1)}s)\n`,
    );
  }
}

/** Files that start processes take longest: starting them first keeps all cores busy to the end. */
function longestFirst(a: string, b: string): number {
  const weight = (file: string) => (/test\/(process|budget|examples|kubernetes|helm)\//.test(file) ? 0 : 1);
  return weight(a) - weight(b) || a.localeCompare(b);
}

function runFile(file: string): Promise<Outcome> {
  const start = performance.now();
  return new Promise((resolve) => {
    // A separate process group, so that the children of a stuck test are killed with it.
    const child = spawn(process.execPath, ['--no-warnings', file], {
      cwd: root,
      detached: true,
      env: { ...env, NO_COLOR: '1', FORCE_COLOR: '0' },
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
      output += `\nstopped after ${timeout} s\n`;
      killGroup(child.pid);
    }, timeout * 1000);
    // A process that a test has left running could hold the pipes open, and `close` would wait for it.
    child.on('exit', () => killGroup(child.pid));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      running.delete(child.pid);
      resolve({
        file,
        output,
        seconds: (performance.now() - start) / 1000,
        ...countTests(output, code, signal),
      });
    });
  });
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // The group is gone already.
  }
}

/** Adds up uvu's closing lines, one block per suite. A file that ran no test has failed. */
function countTests(
  output: string,
  code: number | null,
  signal: string | null,
): { passed: number; failed: number } {
  const sum = (label: string) =>
    [...output.matchAll(new RegExp(`^\\s*${label}:\\s+(\\d+)`, 'gm'))].reduce(
      (total, match) => total + Number(match[1]),
      0,
    );
  const [total, passed] = [sum('Total'), sum('Passed')];
  const failed = total - passed;
  const broken = code !== 0 || signal !== null || total === 0;
  return { passed, failed: failed === 0 && broken ? 1 : failed };
}
