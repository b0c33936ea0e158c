/**
 * Runs every test file in its own process, several at a time, and ends with one line: `N passed, N failed`.
 *
 * uvu runs files in one process and has no timeout: a hanging test would hang the run, and a file that forgets `.run()` would
 * pass without a test. Here each file has a process and a timeout, and fails unless it runs at least one test or says why it
 * cannot. Variables for AWS and for proxies are removed from its environment.
 *
 *   node test/run.ts             the tests, except test/soak, test/cluster, test/node, test/moto and test/kernel
 *   node test/run.ts --soak      only test/soak
 *   node test/run.ts --cluster   only test/cluster, on the cluster of KUBECONFIG (test/cluster/run.ts starts one)
 *   node test/run.ts --node      only test/node, on a node that test/node/run.ts starts; one file at a time
 *   node test/run.ts --moto      only test/moto, on moto (test/moto/run.ts installs it, and needs python3)
 *   node test/run.ts --kernel    only test/kernel, on the running kernel (test/kernel/run.ts boots one)
 *   node test/run.ts core/text   only the files whose path contains one of the words
 */

import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { killAll, type Outcome, runFile } from './run-file.ts';
import { NOT_TESTED } from './support/allowed.ts';

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
/**
 * Each file starts processes and needs memory and space in /dev/shm. Two more than there are cores, because the files wait for half of
 * their time.
 */
const cores = Math.min(8, Math.max(2, availableParallelism()));
const concurrency = group === undefined ? cores + 2 : group === 'node' ? 1 : cores;
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(AWS_.*|(.*_)?(HTTPS?|NO|ALL)_PROXY)$/i.test(name)),
);

const options = { cwd: root, env: { ...env, NO_COLOR: '1', FORCE_COLOR: '0' }, timeout: timeout * 1000 };

/** Files that take longer than some 8 s, many of them because they wait. */
const LONG = [
  ...[
    'exec-on-change',
    'exec-process1',
    'hook-output',
    'leak',
    'memory-reader',
    'notify',
    'output',
    'resolver',
    'sidecar',
    'trusted-authorities',
  ].map((name) => `process/${name}`),
  ...['core/stderr', 'examples/aws', 'publish/crash', 'worker/process'],
];

const files = globSync('test/**/*.test.ts', { cwd: root })
  .filter((file) => /^test\/(soak|cluster|node|moto|kernel)\//.exec(file)?.[1] === group)
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort(longestFirst);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    killAll();
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
    const outcome = await runFile(file, options);
    outcomes.push(outcome);
    const mark = outcome.failed === 0 ? 'ok  ' : 'FAIL';
    process.stdout.write(
      `${mark} ${relative('test', file)} (${outcome.passed}, ${outcome.seconds.toFixed(1)}s)\n`,
    );
  }
}

/** Starting the longest files first keeps all cores busy to the end. Files that start processes take longer than the others. */
function longestFirst(a: string, b: string): number {
  const weight = (file: string) => {
    if (LONG.some((name) => file === `test/${name}.test.ts`)) return 0;
    return /^test\/(process|budget|examples|kubernetes|helm)\//.test(file) ? 1 : 2;
  };
  return weight(a) - weight(b) || a.localeCompare(b);
}
