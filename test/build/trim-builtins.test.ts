import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { builtinSources, trimBuiltins } from '../../src/build/trim-builtins.ts';
import { binary } from '../support/program.ts';

const UNUSED = 'internal/deps/amaro/dist/index';
const sources = { [UNUSED]: 'compile("é")', fs: 'read()' };
const executable = Buffer.from('code read() compile("é") more', 'latin1');

test('spaces replace the source that is not used, and nothing else changes', () => {
  const before = Buffer.from(executable);
  assert.is(trimBuiltins(executable, sources).toString('latin1'), 'code read()              more');
  assert.ok(executable.equals(before));
});

const odd: readonly (readonly [what: string, executable: Buffer, sources: Record<string, string>])[] = [
  ['without the source', Buffer.from('code read()'), sources],
  ['with two', Buffer.concat([executable, executable]), sources],
  ['without the module', executable, { fs: 'read()' }],
  ['with an empty one', executable, { ...sources, [UNUSED]: '' }],
];
for (const [what, bytes, its] of odd) {
  test(`a Node ${what} fails the build`, () => {
    assert.throws(() => trimBuiltins(bytes, its), `expected one source of ${UNUSED}`);
  });
}

test('the program does not contain the TypeScript compiler', () => {
  const source = builtinSources()[UNUSED] ?? '';
  const middle = source.slice(source.length / 2, source.length / 2 + 100);
  assert.ok(readFileSync(process.execPath).includes(middle));
  assert.not.ok(readFileSync(binary).includes(middle));
});

test.run();
