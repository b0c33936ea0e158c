/** The comparison of the configs' directories before they are opened. */

import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sameDirectories } from '../../src/publish/inspect.ts';
import { scratch } from '../support/scratch.ts';

const test = suite('directories of several configs');

test('reports one problem with both paths when two paths name the same directory', () => {
  const dir = scratch();
  mkdirSync(join(dir, 'real'));
  symlinkSync('real', join(dir, 'link'));
  symlinkSync(dir, join(dir, 'volume'));
  for (const other of [
    `${dir}/./real`,
    `${dir}//real/`,
    `${dir}/other/../real`,
    `${dir}/link`,
    `${dir}/volume/real`,
  ]) {
    const [problem, ...more] = sameDirectories([`${dir}/real`, `${dir}/another`, other]);
    assert.is(problem?.code, 'usage.value');
    assert.is(
      problem?.message,
      `expected a directory for each config, got "${dir}/real" and "${other}", which are the same directory`,
    );
    assert.equal(more, []);
  }
  // Directories that podsecrets has yet to create.
  assert.is(sameDirectories([`${dir}/volume/new`, `${dir}/./new`]).length, 1);
});

test('a path that cannot be followed is left to the check of its directory', () => {
  const dir = scratch();
  symlinkSync('loop', join(dir, 'loop'));
  assert.equal(sameDirectories([`${dir}/loop/a`, `${dir}/loop`, `${dir}/${'a'.repeat(300)}/b`]), []);
});

test('reports no problem for different directories, existing or not', () => {
  const dir = scratch();
  mkdirSync(join(dir, 'a'));
  assert.equal(sameDirectories([`${dir}/a`, `${dir}/b`, `${dir}/a/b`, '/', dir]), []);
});

test.run();
