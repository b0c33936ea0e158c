/** `npm run test:node` on a machine that cannot have a node: it names what is missing and exits with 3. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkMachine } from '../node/machine.ts';
import { MissingPart, part } from '../node/missing.ts';
import { isNotTested } from './allowed.ts';
import { rejects } from './rejects.ts';
import { WAIT_LIMIT } from './wait.ts';

const test = suite<{ directory: string }>('a run of test:node');
const script = join(import.meta.dirname, '../node/run.ts');

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'node-run-'));
});
test.after.each(({ directory }) => rmSync(directory, { recursive: true }));

/** A run that finds only these commands, and none of the parts that earlier runs have left in the folder for temporary files. */
function runWith(commands: readonly string[], directory: string) {
  const path = join(directory, 'bin');
  mkdirSync(path);
  for (const command of commands) {
    const found = spawnSync('sh', ['-c', `command -v ${command}`], { encoding: 'utf8' }).stdout.trim();
    symlinkSync(found, join(path, command));
  }
  return spawnSync(process.execPath, ['--no-warnings', script], {
    encoding: 'utf8',
    env: { PATH: path, TMPDIR: directory },
    timeout: WAIT_LIMIT,
  });
}

test('without the commands it names each of them, exits with 3 and prints no result', ({ directory }) => {
  const { status, stdout, stderr } = runWith([], directory);
  assert.is(status, 3, stderr);
  assert.is(stdout, '');
  assert.match(stderr, /^!! NOT RUN: test\/node, on a whole node\. Missing: /);
  if (process.getuid?.() !== 0) return assert.match(stderr, 'Missing: root: ');
  for (const command of ['unshare', 'mount', 'ip', 'tar', 'dd', 'fincore'])
    assert.match(stderr, `the command ${command}`);
});

test('without Go it names Go, and exits with 3', ({ directory }) => {
  try {
    checkMachine();
  } catch (error) {
    return void isNotTested(`a node without Go: ${(error as Error).message}`);
  }
  const { status, stdout, stderr } = runWith(
    ['sh', 'unshare', 'mount', 'ip', 'tar', 'dd', 'fincore'],
    directory,
  );
  assert.is(status, 3, stderr);
  assert.is(stdout, '');
  assert.match(stderr, 'Missing: the programs of a node: Go is not installed');
});

test('a part that is missing is named with the reason', async () => {
  const reason = () => Promise.reject(new Error('no Docker here'));
  const error = await rejects(part('a Docker engine', reason));
  assert.instance(error, MissingPart);
  assert.is((error as Error).message, 'a Docker engine: no Docker here');
});

test.run();
