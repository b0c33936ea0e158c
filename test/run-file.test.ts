/** The runner of the test files: a file that hangs, fails or leaves a process behind never holds up the others. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Outcome, runFile } from './run-file.ts';
import { NOT_TESTED } from './support/allowed.ts';
import { scratch } from './support/scratch.ts';
import { within } from './support/wait.ts';

const ONE_TEST = `process.stdout.write('  Total:     1\\n  Passed:    1\\n');`;

function outcomeOf(script: string, timeout = 60_000, grace = 60_000): Promise<Outcome> {
  const file = join(scratch(), 'file.mjs');
  writeFileSync(file, script);
  return runFile(file, { cwd: '/', env: { PATH: process.env.PATH }, timeout, grace });
}

test('counts the tests of a file', async () => {
  const { passed, failed } = await outcomeOf(ONE_TEST);
  assert.equal([passed, failed], [1, 0]);
});

test('a file without a test that can run here has not failed', async () => {
  const { passed, failed } = await outcomeOf(`process.stdout.write('${NOT_TESTED}all: no Go\\n');`);
  assert.equal([passed, failed], [0, 0]);
});

for (const [what, script] of [
  ['no test', ''],
  ['no test and no reason for it', `process.stdout.write('Total: 0\\n');`],
  [
    'an error besides a reason for no test',
    `process.stdout.write('${NOT_TESTED}x\\n'); process.exitCode = 1;`,
  ],
  ['a failed test', `process.stdout.write('  Total:     2\\n  Passed:    1\\n');`],
  ['an exit code after passed tests', `${ONE_TEST} process.exitCode = 1;`],
  ['an end by a signal after passed tests', `${ONE_TEST} process.kill(process.pid, 'SIGKILL');`],
] as const)
  test(`a file with ${what} has failed`, async () => {
    assert.is((await outcomeOf(script)).failed, 1);
  });

test('a file that hangs is stopped, and its children with it', async () => {
  const { failed, output } = await outcomeOf(
    `import { spawn } from 'node:child_process'; spawn('sleep', ['1000'], { stdio: 'inherit' }); setInterval(() => {}, 1000);`,
    1000,
  );
  assert.is(failed, 1);
  assert.match(output, 'stopped after 1 s');
});

test('a file whose child in another session holds its output open has failed, and the run goes on', async () => {
  const script = `import { spawn } from 'node:child_process';
    const child = spawn('sleep', ['1000'], { stdio: 'inherit', detached: true });
    child.unref();
    process.stdout.write('pid ' + child.pid + '\\n');
    ${ONE_TEST}`;
  const { failed, output } = await within('the outcome', outcomeOf(script, 60_000, 10));
  process.kill(Number(/^pid (\d+)$/m.exec(output)?.[1]), 'SIGKILL');
  assert.is(failed, 1);
  assert.match(output, 'in another session still runs');
});

test.run();
