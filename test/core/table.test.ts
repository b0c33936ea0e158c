import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { table } from '../../src/core/table.ts';

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

test.run();
