/** The demo of the front page runs to its end. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { examplesRoot } from './readme.ts';

test('the demo publishes, rotates, signals the application and ends with 0', async () => {
  const { code, output } = await new Promise<{ code: unknown; output: string }>((resolve) => {
    execFile(
      process.execPath,
      [join(examplesRoot, 'demo/demo.ts')],
      { env: { PATH: process.env.PATH } },
      (error, stdout, stderr) => resolve({ code: error?.code ?? 0, output: stdout + stderr }),
    );
  });
  assert.is(code, 0, output);
  assert.match(output, 'published 4 files');
  assert.match(output, 'the application got SIGHUP and read db-password again');
  // Without its values.
  assert.not.match(output, 'correct horse');
});

test.run();
