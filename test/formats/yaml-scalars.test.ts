/** What scalars mean. Every row was confirmed against sigs.k8s.io/yaml, decoding into a field of text. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { plainScalar, type ScalarMeaning, taggedScalar } from '../../src/formats/yaml-scalars.ts';

function textOf(meaning: ScalarMeaning): string {
  switch (meaning.type) {
    case 'null':
      return 'null';
    case 'invalid':
      return `expected ${meaning.expected}`;
    default:
      return `${meaning.type} ${meaning.text}`;
  }
}

const plain: Readonly<Record<string, readonly string[]>> = {
  null: ['', '~', 'null', 'Null', 'NULL'],
  'boolean true': ['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'],
  'boolean false': ['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'],
  'number 31': [
    '31',
    '0x1F',
    '0X1f',
    '037',
    '0o37',
    '0O37',
    '0b11111',
    '0B11111',
    '+31',
    '3_1',
    '0x_1f',
    '0b+11111',
  ],
  'number -31': ['-31', '-0x1F', '-037', '-0b11111', '0b-11111', '-3__1_'],
  'number 0': ['0', '00', '-0', '0x0', '0.0', '.0', '0e5'],
  'number -0': ['-0.0'],
  'number 384': ['0600'],
  'number 8': ['08', '8.0', '8.'],
  'number 1.1': ['1.1', '1.10', '+1.10', '1.1_0'],
  'number 0.15': ['.15', '.1_5', '0.15'],
  'number 100000': ['1e5'],
  'number 1e+06': ['1e6', '1000000.0'],
  'number 1.2345679e+08': ['123456789.5'],
  'number 0.0001': ['0.0001', '1e-4'],
  'number 1e-05': ['0.00001', '1E-5'],
  // Ties between two shortest decimals go to the even digit.
  'number 2.5018322e+06': ['2501832.25'],
  'number 2.5018328e+06': ['2501832.75'],
  'number 294985.12': ['294985.125'],
  'number -294985.12': ['-294985.125'],
  'number 1.6777216e+07': ['16777217.0'],
  'number +Inf': ['.inf', '.Inf', '+.INF', '1e39'],
  'number -Inf': ['-.inf', '-1e39'],
  'number NaN': ['.nan', '.NaN', '.NAN'],
  'number 18446744073709551615': ['18446744073709551615'],
  'number -9223372036854775808': ['-9223372036854775808'],
  'number 1.8446744e+19': ['18446744073709551616'],
  'number -9.223372e+18': ['-9223372036854775809'],
};

for (const [meaning, spellings] of Object.entries(plain)) {
  test(`${meaning}: ${spellings.map((text) => `"${text}"`).join(' ')}`, () => {
    for (const text of spellings) assert.is(textOf(plainScalar(text)), meaning, text);
  });
}

for (const text of [
  ...[
    '1:30',
    '190:20:30',
    '2026-01-31',
    '2026-01-31T10:00:00Z',
    '1.2.3',
    '1e',
    '1e400',
    '0b12',
    '0o8',
    '0xg',
    '0x',
  ],
  ...[
    '_1',
    '+',
    '-',
    '.',
    '..',
    '._1',
    '.1__5',
    '+.nan',
    'nUll',
    'tRue',
    'yEs',
    '<<',
    '=',
    'foo',
    'é',
    '1 2',
    '-a',
  ],
]) {
  test(`"${text}" is text`, () => assert.is(textOf(plainScalar(text)), `text ${text}`));
}

const tag = (name: string) => `tag:yaml.org,2002:${name}`;
for (const [name, written, meaning] of [
  [tag('str'), '12', 'text 12'],
  [tag('str'), '', 'text '],
  ['!custom', 'yes', 'text yes'],
  ['!', '12', 'text 12'],
  [tag('int'), '0x1F', 'number 31'],
  [tag('int'), '1.0', 'expected an integer'],
  [tag('int'), 'a', 'expected a value of the tag !!int'],
  [tag('float'), '3', 'number 3'],
  [tag('float'), '16777217', 'number 1.6777216e+07'],
  [tag('bool'), 'on', 'boolean true'],
  [tag('bool'), '1', 'expected a value of the tag !!bool'],
  [tag('null'), '', 'null'],
  [tag('null'), 'a', 'expected a value of the tag !!null'],
  [tag('timestamp'), '2026-01-31', 'text 2026-01-31'],
  [tag('timestamp'), 'now', 'expected a timestamp'],
  [tag('binary'), 'aGk=', 'text hi'],
  [tag('binary'), 'aG\nk=', 'text hi'],
  [tag('binary'), '/4A=', 'text \ufffd\ufffd'],
  [tag('binary'), 'aGk', 'expected base64'],
] as const) {
  test(`${name.replace(tag(''), '!!')} "${written.replace('\n', '\\n')}" is ${meaning}`, () => {
    assert.is(textOf(taggedScalar(name, written)), meaning);
  });
}

test.run();
