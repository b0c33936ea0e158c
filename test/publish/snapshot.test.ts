/** Paths: their normal form, and what is wrong with the others. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { filePath, parentsOf } from '../../src/core/file-path.ts';

for (const [text, path] of [
  ['a', 'a'],
  ['a/b', 'a/b'],
  ['a//b/./c/', 'a/b/c'],
  ['./a', 'a'],
  ['.hidden', '.hidden'],
  ['a/..b', 'a/..b'],
  ['a..', 'a..'],
  ['a b\nc', 'a b\nc'],
  [`${'n'.repeat(255)}/${'n'.repeat(255)}`, `${'n'.repeat(255)}/${'n'.repeat(255)}`],
  ['é'.repeat(127), 'é'.repeat(127)],
] as const) {
  test(`${JSON.stringify(text.slice(0, 20))} is a path`, () => assert.is(filePath(text), path));
}

for (const [text, reason] of [
  ['', 'it names no file'],
  ['.', 'it names no file'],
  ['./.', 'it names no file'],
  ['/a', 'it is absolute'],
  ['a\0', 'it contains a NUL character'],
  ['..', 'it contains the segment ".."'],
  ['a/../b', 'it contains the segment ".."'],
  ['a/..', 'it contains the segment ".."'],
  ['..data', 'it begins with "..", which is reserved'],
  ['...', 'it begins with "..", which is reserved'],
  ['./..data/a', 'it begins with "..", which is reserved'],
  ['n'.repeat(256), 'a segment is longer than 255 bytes'],
  ['é'.repeat(128), 'a segment is longer than 255 bytes'],
  ['a/'.repeat(1600), 'it is longer than 3072 bytes'],
] as const) {
  test(`${JSON.stringify(text.slice(0, 20))} is not a path: ${reason}`, () =>
    assert.equal(filePath(text), { reason }));
}

test('a path has each of its directories as a parent', () => {
  const path = filePath('a/b/c');
  assert.equal(typeof path === 'string' && parentsOf(path), ['a', 'a/b']);
});

test.run();
