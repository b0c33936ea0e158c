import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { FilePath } from '../../src/core/file-path.ts';
import { Secret } from '../../src/core/secret.ts';
import { diff, type FoundFile, topLevelNames } from '../../src/publish/diff.ts';
import type { Snapshot } from '../../src/publish/snapshot.ts';

const test = suite('what a publish changes');

const found = (path: string, differs: Partial<FoundFile> = {}): FoundFile => ({
  path: path as FilePath,
  mode: 0o644,
  owner: { uid: 1000, gid: 1000 },
  sameContent: true,
  ...differs,
});
const next = (...paths: string[]): Snapshot => ({
  files: paths.map((path) => ({ path: path as FilePath, mode: 0o644, content: new Secret('') })),
});
const updated = (path: string) => ({ kind: 'changed', added: [], updated: [path], removed: [] });

test('is unchanged when every file exists with its content and mode', () => {
  assert.equal(diff([found('a'), found('b/c')], next('b/c', 'a'), undefined), { kind: 'unchanged' });
  assert.equal(diff([], next(), undefined), { kind: 'unchanged' });
});

test('lists added files in the order of the next generation, removed ones in the order of names', () => {
  assert.equal(diff([found('z'), found('y'), found('same')], next('b', 'same', 'a'), undefined), {
    kind: 'changed',
    added: ['b', 'a'],
    updated: [],
    removed: ['y', 'z'],
  });
});

test('a file is updated when its content or its mode differs, even if only by a setuid bit', () => {
  assert.equal(diff([found('a', { sameContent: false })], next('a'), undefined), updated('a'));
  assert.equal(diff([found('a', { mode: 0o600 })], next('a'), undefined), updated('a'));
  assert.equal(diff([found('a', { mode: 0o4644 })], next('a'), undefined), updated('a'));
});

test('compares user and group when an owner is given', () => {
  assert.equal(diff([found('a')], next('a'), { uid: 1000, gid: 1000 }), { kind: 'unchanged' });
  assert.equal(diff([found('a')], next('a'), { uid: 1001, gid: 1000 }), updated('a'));
  assert.equal(diff([found('a')], next('a'), { uid: 1000, gid: 1001 }), updated('a'));
});

test('a file that becomes a directory is removed, and the files below are added', () => {
  assert.equal(diff([found('a')], next('a/b', 'a/c'), undefined), {
    kind: 'changed',
    added: ['a/b', 'a/c'],
    updated: [],
    removed: ['a'],
  });
});

test('the names at the top are the first segments of the paths', () => {
  assert.equal([...topLevelNames(next('a', 'b/c', 'b/d/e', 'f'))], ['a', 'b', 'f']);
});

test.run();
