import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PathTree } from '../../src/config/path-conflicts.ts';
import type { FilePath } from '../../src/core/file-path.ts';

const path = (text: string) => text as FilePath;

test('the first claim of a path wins', () => {
  const tree = new PathTree<string>();
  assert.is(tree.claim(path('a/b'), 'first'), undefined);
  assert.is(tree.claim(path('a/b'), 'second'), 'first');
  assert.is(tree.claim(path('a'), 'third'), undefined);
  assert.is(tree.claim(path('a/b'), 'fourth'), 'first');
});

test('the owner of a parent path is found, whichever came first', () => {
  const tree = new PathTree<string>();
  tree.claim(path('a/b/c'), 'below');
  tree.claim(path('a'), 'above');
  assert.is(tree.ownerAbove(path('a/b/c')), 'above');
  assert.is(tree.ownerAbove(path('a/x')), 'above');
  assert.is(tree.ownerAbove(path('a')), undefined);
  assert.is(tree.ownerAbove(path('ab/c')), undefined);
});

test('names that objects have by themselves are free', () => {
  const tree = new PathTree<string>();
  assert.is(tree.claim(path('constructor'), 'a'), undefined);
  assert.is(tree.claim(path('__proto__/x'), 'b'), undefined);
  assert.is(tree.ownerAbove(path('constructor/x')), 'a');
});

test.run();
