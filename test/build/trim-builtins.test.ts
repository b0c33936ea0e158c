import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { builtinSources, trimBuiltins } from '../../src/build/trim-builtins.ts';
import { binary } from '../support/program.ts';

const TYPESCRIPT = 'internal/deps/amaro/dist/index';
const FETCH = 'internal/deps/undici/undici';
const QUIC = 'internal/quic/quic';
const sources = { [TYPESCRIPT]: 'compile("é")', [FETCH]: 'fetch()', [QUIC]: 'connect()', fs: 'read()' };
const executable = Buffer.from('fetch() code read() compile("é") connect() more', 'latin1');

test('spaces replace the sources that are not used, and nothing else changes', () => {
  const before = Buffer.from(executable);
  assert.is(
    trimBuiltins(executable, sources).toString('latin1'),
    '        code read()                        more',
  );
  assert.ok(executable.equals(before));
});

const odd: readonly (readonly [what: string, executable: Buffer, sources: Record<string, string>])[] = [
  ['without a source', Buffer.from('code read()'), sources],
  ['with two', Buffer.concat([executable, executable]), sources],
  ['without the module', executable, { fs: 'read()' }],
  ['with an empty one', executable, { ...sources, [TYPESCRIPT]: '' }],
];
for (const [what, bytes, its] of odd) {
  test(`a Node ${what} fails the build`, () => {
    assert.throws(() => trimBuiltins(bytes, its), `expected one source of ${TYPESCRIPT}`);
  });
}

for (const name of [TYPESCRIPT, FETCH, QUIC]) {
  test(`the program does not contain ${name}`, () => {
    const source = builtinSources()[name] ?? '';
    const middle = source.slice(source.length / 2, source.length / 2 + 100);
    assert.ok(readFileSync(process.execPath).includes(middle));
    assert.not.ok(readFileSync(binary).includes(middle));
  });
}

test.run();
