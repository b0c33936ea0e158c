/** The kind of a file that may be the program of a command, and the moment before the start. */

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fileKind } from '../../src/exec/become.ts';
import { mayBecome } from '../support/allowed.ts';
import { nobody } from '../support/readable-copy.ts';
import { scratch } from '../support/scratch.ts';

const test = suite('become');
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

test('a signal to end that arrived before the command is started ends without it', () => {
  const script = `
    import { readFile } from 'node:fs';
    import { become } from '${join(import.meta.dirname, '../../src/exec/become.ts')}';
    const stop = new AbortController();
    process.on('SIGTERM', () => stop.abort('stopped'));
    // In a callback of I/O: Node reads signals after it.
    readFile('/proc/version', () => {
      process.kill(process.pid, 'SIGTERM');
      become({ file: '/bin/echo', name: 'echo' }, ['echo', 'started'], new Map(), stop.signal).catch(console.log);
    });
  `;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  assert.is(stdout, 'stopped\n');
});

test.run();
