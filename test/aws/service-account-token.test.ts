import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readToken, tokenClaims } from '../../src/aws/service-account-token.ts';
import type { Problem } from '../../src/core/problem.ts';
import { rejects } from '../support/rejects.ts';

const test = suite('service account token');

const directory = mkdtempSync(join(tmpdir(), 'podsecrets-token-'));
test.after(() => rmSync(directory, { recursive: true }));

const written = (name: string, text: string): string => {
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
};

test('reads the token without surrounding white space', async () => {
  assert.is(await readToken(written('good', ' abc.def.ghi\n')), 'abc.def.ghi');
});

for (const [what, text] of [
  ['an empty file', ''],
  ['an empty file', ' \n'],
  ['text that is not a token', 'canary one\r\ncanary: two'],
  ['text that is not a token', 'canäry'],
] as const) {
  test(`reports ${JSON.stringify(text)} as ${what}, without quoting it`, async () => {
    const problem = (await rejects(readToken(written('bad', text)))) as Problem;
    assert.is(problem.code, 'credentials.token');
    assert.match(problem.message, `got ${what}`);
    assert.not.match(inspect(problem, { showHidden: true }), /can.ry/);
  });
}

test('reports a missing file and a directory', async () => {
  const missing = (await rejects(readToken(join(directory, 'none')))) as Problem;
  assert.match(missing.message, /got no file$/);
  const wrong = (await rejects(readToken(directory))) as Problem;
  assert.match(wrong.message, /got a directory$/);
});

test('rejects a named pipe, a device and an endless file at once', async () => {
  const pipe = join(directory, 'pipe');
  spawnSync('mkfifo', [pipe]);
  for (const [file, found] of [
    [pipe, 'a named pipe'],
    ['/dev/zero', 'a device'],
    [written('long', 'x'.repeat(64 * 1024 + 1)), 'more than 64 KiB'],
  ] as const) {
    const { message, remedy } = (await rejects(readToken(file))) as Problem;
    assert.is(message, `expected the service account's token, got ${found}`);
    // The user may read it: its kind is wrong.
    assert.match(remedy, /Name a regular file/);
    assert.not.match(remedy, /fsGroup/);
  }
});

const token = (claims: unknown) =>
  `head.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.signature`;

test('returns the claims of a token without its signature', () => {
  const claims = tokenClaims(
    token({ sub: 'system:serviceaccount:shop:app', aud: ['a', 'b'], iss: 'https://issuer', exp: 1000 }),
  );
  assert.equal(claims, {
    subject: 'system:serviceaccount:shop:app',
    audiences: ['a', 'b'],
    expiresAt: 1_000_000,
  });
  assert.not.match(JSON.stringify(claims), 'signature');
});

test('accepts claims of any type, and escapes control characters', () => {
  assert.equal(tokenClaims(token({ aud: 'one', sub: 'a\nb', exp: 'soon' })), {
    subject: 'a\\nb',
    audiences: ['one'],
    expiresAt: undefined,
  });
});

test('returns no claims for a text that is not a token', () => {
  for (const text of ['', 'opaque', 'a.b', 'a.b.c', `a.${Buffer.from('null').toString('base64url')}.c`])
    assert.is(tokenClaims(text), undefined, text);
});

test.run();
