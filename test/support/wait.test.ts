/** Waiting for other processes: always with a limit, and also for one that has ended. */

import { spawn } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { endOf } from './wait.ts';

test('the end of a process is known also after it, with its code or its signal', async () => {
  const child = spawn('sh', ['-c', 'exit 3']);
  assert.equal(await endOf(child), [3, null]);
  assert.equal(await endOf(child), [3, null]);
  const killed = spawn('sleep', ['1000']);
  killed.kill('SIGKILL');
  assert.equal(await endOf(killed), [null, 'SIGKILL']);
  assert.equal(await endOf(killed), [null, 'SIGKILL']);
});

test('a program that does not exist is an error, not a wait', async () => {
  let message = '';
  await endOf(spawn('/no/such/program')).catch((error: Error) => {
    message = error.message;
  });
  assert.match(message, 'ENOENT');
});

// `once(child, 'exit')` after the end waits for ever: the file then hangs until test/run.ts stops it, without a name.
test('no test waits for a process without a limit', () => {
  const root = join(import.meta.dirname, '..');
  const unlimited = /await once\((?!server|sent|request)[^)]*'(?:exit|close|end|data|connect)'\)/;
  const found = globSync(['**/*.test.ts', 'support/*.ts'], { cwd: root }).filter((file) =>
    unlimited.test(readFileSync(join(root, file), 'utf8')),
  );
  assert.equal(found, []);
});

test.run();
