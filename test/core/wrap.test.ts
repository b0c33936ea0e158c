import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { wrapText } from '../../src/core/wrap.ts';

test('breaks long lines at spaces, and indents what follows as the line', () => {
  assert.is(
    wrapText('one two three\n  four five six\n\nok', 11),
    'one two\n  three\n  four five\n  six\n\nok',
  );
});

test('indents what follows as the second column of the line, unless that is more than half of the width', () => {
  assert.is(wrapText('  ok    one two three', 16), '  ok    one two\n        three');
  assert.is(wrapText('  failed   one two three', 16), '  failed   one\n  two three');
});

test('does not break a longer word, so that it can be copied', () => {
  assert.is(
    wrapText('see arn:aws:iam::111122223333:role/app now', 12),
    'see\n  arn:aws:iam::111122223333:role/app\n  now',
  );
});

test('counts terminal columns, and keeps lines that fit', () => {
  assert.is(wrapText('密码 密码 密码', 9), '密码 密码\n  密码');
  assert.is(wrapText('a   b', 5), 'a   b');
  const text = 'a long line\n'.repeat(3);
  assert.is(wrapText(text, Number.POSITIVE_INFINITY), text);
});

test.run();
