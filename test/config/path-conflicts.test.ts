import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PathTree } from '../../src/config/path-conflicts.ts';
import type { FilePath } from '../../src/core/file-path.ts';

const path = (text: string) => text as FilePath;

test('the first claim of a path keeps it', () => {
  const tree = new PathTree<string>();
  assert.is(tree.claim(path('a/b'), 'first'), undefined);
  assert.is(tree.claim(path('a/b'), 'second'), 'first');
  assert.is(tree.claim(path('a'), 'third'), undefined);
  assert.is(tree.claim(path('a/b'), 'fourth'), 'first');
});

test('finds the owner of a parent path, in either order', () => {
  const tree = new PathTree<string>();
  tree.claim(path('a/b/c'), 'below');
  tree.claim(path('a'), 'above');
  assert.is(tree.ownerAbove(path('a/b/c')), 'above');
  assert.is(tree.ownerAbove(path('a/x')), 'above');
  assert.is(tree.ownerAbove(path('a')), undefined);
  assert.is(tree.ownerAbove(path('ab/c')), undefined);
});

test('accepts names that JavaScript objects inherit', () => {
  const tree = new PathTree<string>();
  assert.is(tree.claim(path('constructor'), 'a'), undefined);
  assert.is(tree.claim(path('__proto__/x'), 'b'), undefined);
  assert.is(tree.ownerAbove(path('constructor/x')), 'a');
});

test.run();
