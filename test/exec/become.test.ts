/** The kind of a file that may be the program of a command. */

import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fileKind } from '../../src/exec/become.ts';
import { mayBecome } from '../support/allowed.ts';
import { nobody } from '../support/readable-copy.ts';
import { scratch } from '../support/scratch.ts';

const test = suite('the kind of a file');
const dir = scratch();

test('differs between programs, other files, directories, and paths that lead nowhere', () => {
  writeFileSync(join(dir, 'program'), '', { mode: 0o755 });
  writeFileSync(join(dir, 'text'), '', { mode: 0o644 });
  symlinkSync('loop', join(dir, 'loop'));
  for (const [name, kind] of [
    ['program', 'program'],
    ['text', 'notExecutable'],
    ['.', 'notExecutable'],
    ['none', 'missing'],
    ['text/none', 'missing'],
    ['loop', 'missing'],
    ['x'.repeat(300), 'missing'],
  ] as const)
    assert.is(fileKind(join(dir, name)), kind, name);
});

test('a file in a directory that this user may not search is not executable, as for execvp', () => {
  if (!mayBecome('a directory that the user may not search')) return;
  const closed = join(dir, 'closed');
  mkdirSync(closed);
  chmodSync(closed, 0o700);
  process.seteuid?.(nobody.uid);
  try {
    assert.is(fileKind(join(closed, 'program')), 'notExecutable');
  } finally {
    process.seteuid?.(0);
  }
});

test.run();
