/** JSON as Go reads and prints it. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareText, jsonText, parseGoJson } from '../../src/formats/json.ts';

const parse = (text: string) => parseGoJson(new TextEncoder().encode(text));
const printed = (text: string, escaping: 'html' | 'none' = 'html') => jsonText(parse(text), escaping);

for (const text of [
  '',
  ' ',
  'a',
  '{',
  '{}x',
  "{'a':1}",
  '[1,]',
  '01',
  '1e400',
  '-1e400',
  '\ufeff{}',
  'NaN',
  '\u00a01',
]) {
  test(`rejects ${JSON.stringify(text)}`, () => assert.is(parse(text), undefined));
}

test('rejects nesting beyond 1000 levels, without counting brackets in quotes', () => {
  assert.is(parse('['.repeat(1001) + ']'.repeat(1001)), undefined);
  assert.ok(parse('['.repeat(1000) + ']'.repeat(1000)));
  assert.ok(parse(`"${'['.repeat(2000)}\\"${'['.repeat(2000)}"`));
});

test('uses the last of equal keys', () => assert.is(printed('{"a":1,"a":2}'), '{"a":2}'));

test('has only the keys of the text, including __proto__', () => {
  const value = parse('{"__proto__":{"a":1}}');
  assert.is(jsonText(value, 'html'), '{"__proto__":{"a":1}}');
  assert.is((value as Record<string, unknown>).constructor, undefined);
  assert.is((value as Record<string, unknown>).a, undefined);
});

test('sorts keys by code points', () => {
  assert.is(
    printed('{"b":1,"10":2,"9":3,"\u{1f600}":4,"\uff5e":5}'),
    '{"10":2,"9":3,"b":1,"\uff5e":5,"\u{1f600}":4}',
  );
});

for (const [text, html, none] of [
  ['"<a&b>"', '"\\u003ca\\u0026b\\u003e"', '"<a&b>"'],
  ['"\u2028\u2029"', '"\\u2028\\u2029"', '"\\u2028\\u2029"'],
  ['"\\u0001\\b\\f\\n\\r\\t\\"\\\\/é\\u007f"', '"\\u0001\\b\\f\\n\\r\\t\\"\\\\/é\u007f"', undefined],
  ['"\\ud800"', '"\ufffd"', undefined],
  ['1e21', '1e+21', undefined],
  ['100000000000000000000', '100000000000000000000', undefined],
  ['1e-7', '1e-7', undefined],
  ['0.000001', '0.000001', undefined],
  ['-0', '-0', undefined],
  ['1.0', '1', undefined],
  ['123456789012345678901', '123456789012345680000', undefined],
  ['[true,false,null,{}]', '[true,false,null,{}]', undefined],
] as const) {
  test(`prints ${text} like Go`, () => {
    assert.is(printed(text), html);
    assert.is(printed(text, 'none'), none ?? html);
  });
}

test('does not print a value that JSON cannot represent', () => {
  assert.is(jsonText(Number.NaN, 'html'), undefined);
  assert.is(jsonText({ a: [Number.POSITIVE_INFINITY] }, 'none'), undefined);
  assert.is(
    jsonText(() => 1, 'none'),
    undefined,
  );
});

test('compares text by code points, not by UTF-16 units', () => {
  assert.equal(['\u{1f600}', '\uff5e', 'b', 'ab', 'a', ''].sort(compareText), [
    '',
    'a',
    'ab',
    'b',
    '\uff5e',
    '\u{1f600}',
  ]);
});

test.run();
