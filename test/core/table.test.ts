import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { table } from '../../src/core/table.ts';

test('columns are as wide as their widest cell, in the columns of a terminal', () => {
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

test('a cell from outside cannot break its line', () => {
  assert.equal(table(['A', 'B'], [['x\ny', '1']]), ['A     B', 'x\\ny  1']);
});

test.run();
