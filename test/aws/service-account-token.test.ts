import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readToken } from '../../src/aws/service-account-token.ts';
import type { Problem } from '../../src/core/problem.ts';
import { rejects } from '../support/rejects.ts';

const test = suite('the token');

const directory = mkdtempSync(join(tmpdir(), 'podsecrets-token-'));
test.after(() => rmSync(directory, { recursive: true }));

const written = (name: string, text: string): string => {
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
};

test('is read without the white space around it', async () => {
  assert.is(await readToken(written('good', ' abc.def.ghi\n')), 'abc.def.ghi');
});

for (const [what, text] of [
  ['an empty file', ''],
  ['an empty file', ' \n'],
  ['something that is not a token', 'canary one\r\ncanary: two'],
  ['something that is not a token', 'canäry'],
] as const) {
  test(`${JSON.stringify(text)} is ${what}, and is not quoted`, async () => {
    const problem = (await rejects(readToken(written('bad', text)))) as Problem;
    assert.is(problem.code, 'credentials.token');
    assert.match(problem.message, `got ${what}`);
    assert.not.match(inspect(problem, { showHidden: true }), /can.ry/);
  });
}

test('no file, a directory', async () => {
  const missing = (await rejects(readToken(join(directory, 'none')))) as Problem;
  assert.match(missing.message, /got no file$/);
  const wrong = (await rejects(readToken(directory))) as Problem;
  assert.match(wrong.message, /got a directory$/);
});

test('refuses a named pipe, a device and an endless file at once', async () => {
  const pipe = join(directory, 'pipe');
  spawnSync('mkfifo', [pipe]);
  for (const [file, found] of [
    [pipe, 'a named pipe'],
    ['/dev/zero', 'a device'],
    [written('long', 'x'.repeat(64 * 1024 + 1)), 'more than 64 KiB'],
  ] as const) {
    const { message } = (await rejects(readToken(file))) as Problem;
    assert.is(message, `expected the service account's token, got ${found}`);
  }
});

test.run();
