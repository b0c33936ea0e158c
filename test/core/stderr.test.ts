import { spawn } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

test('drops a line without an error if the reader has closed the pipe', async () => {
  const file = new URL('../../src/core/stderr.ts', import.meta.url).href;
  const script = `
    import { writeToStderr } from ${JSON.stringify(file)};
    process.stdin.resume().on('end', () => { writeToStderr('a'); process.stdout.write('alive'); });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
  child.stderr.destroy();
  child.stderr.once('close', () => child.stdin.end());
  let said = '';
  for await (const chunk of child.stdout) said += chunk;
  assert.is(said, 'alive');
});

test.run();
