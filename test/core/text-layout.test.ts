import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { table, wrapText } from '../../src/core/text-layout.ts';

test('a column is as wide as its widest cell, in terminal columns', () => {
  assert.equal(
    table(
      ['FILE', 'MODE'],
      [
        ['密码', '0644'],
        ['e\u0301t\u00e9-😀', '0400'],
      ],
    ),
    ['FILE    MODE', '密码    0644', 'e\u0301t\u00e9-😀  0400'],
  );
});

test('escapes the text of a cell', () => {
  assert.equal(table(['A', 'B'], [['x\ny', '1']]), ['A     B', 'x\\ny  1']);
});

test('prints a table that is wider than the terminal as one block per row, without empty cells', () => {
  const head = ['FILE', 'OBJECT', 'VERSION', 'ROTATED'];
  const rows = [
    ['password', 'prod/db', '7', '2h ago'],
    ['url', 'prod/a-long-name', '', '1h ago'],
  ];
  const width = 'FILE      OBJECT            VERSION  ROTATED'.length;
  assert.is(table(head, rows, width).length, 3);
  assert.equal(
    table(head, rows, width - 1),
    [
      'FILE password',
      '  OBJECT prod/db  VERSION 7  ROTATED 2h ago',
      'FILE url',
      '  OBJECT prod/a-long-name  ROTATED 1h ago',
    ].map((line) => line),
  );
  assert.equal(table(head, rows, 24), [
    'FILE password',
    '  OBJECT prod/db',
    '  VERSION 7',
    '  ROTATED 2h ago',
    'FILE url',
    '  OBJECT prod/a-long-name',
    '  ROTATED 1h ago',
  ]);
});

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
