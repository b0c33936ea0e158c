import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  didYouMean,
  escapeControl,
  escapedJson,
  escapeLines,
  quote,
  sentence,
  yamlEscapes,
} from '../../src/core/text.ts';

test('escapes control characters', () => {
  assert.is(escapeControl('a\nb\r\t\u001b[31m\u0000'), 'a\\nb\\r\\t\\x1b[31m\\x00');
});

test('shows bidirectional and invisible characters by their code', () => {
  assert.is(escapeControl('user\u202etxt\u200b\ufeff'), 'user\\u202etxt\\u200b\\ufeff');
  assert.is(escapeControl('tag\u{e0041}'), 'tag\\u{e0041}');
  assert.is(escapeControl('a\u061c\u2060\u00ad'), 'a\\u061c\\u2060\\xad');
  assert.is(escapeControl('a b\u00a0c\u3000'), 'a b\\xa0c\\u3000');
});

test('escapes a lone surrogate and keeps a pair', () => {
  assert.is(escapeControl('\ud800 😀'), '\\ud800 😀');
});

test('returns printable text unchanged, however often', () => {
  const once = escapeControl('C:\\path\n"x"');
  assert.is(escapeControl(once), once);
});

test('cuts long text', () => {
  assert.is(escapeControl('x'.repeat(300), 10), `${'x'.repeat(10)}…`);
});

test('escapes quotes inside quotes', () => {
  assert.is(quote('say "hi"'), '"say \\"hi\\""');
});

test('suggests a name within two typing errors', () => {
  assert.is(didYouMean('objectAlais', ['objectName', 'objectAlias']), 'objectAlias');
  assert.is(didYouMean('chekc', ['check', 'init']), 'check');
});

test('suggests nothing for a different word', () => {
  assert.is(didYouMean('banana', ['objectName', 'objectAlias']), undefined);
});

test('escapes JSON for a terminal without changing its meaning', () => {
  const value = { 'a\u202e': ['\u2028\u2029', '\u009b2J', '\u{e0001}', 'ä', '\u200f'] };
  const text = escapedJson(value);
  assert.equal(JSON.parse(text), value);
  assert.not.match(text, /[\p{Format}\p{Zl}\p{Zp}\p{Control}]/u);
  assert.match(text, 'ä');
});

test('keeps tabs and line breaks of a text for a terminal, and nothing else that has no glyph', () => {
  assert.is(escapeLines('a:\t1\r\nb: 2\n'), 'a:\t1\r\nb: 2\n');
  assert.is(escapeLines('bad\rgood \u001b[31m\u009b\u202e'), 'bad\\rgood \\x1b[31m\\x9b\\u202e');
});

test('writes characters without a glyph as escapes of YAML', () => {
  assert.is(yamlEscapes('\u007f\u009b\u202e\u2028\u{e0001}ä'), '\\x7f\\x9b\\u202e\\u2028\\U000e0001ä');
});

test('ends a sentence with one full stop', () => {
  assert.is(sentence('expected x, got y'), 'expected x, got y.');
  assert.is(sentence('AWS said: "No."'), 'AWS said: "No.".');
  assert.is(sentence('AWS said: No.'), 'AWS said: No.');
});

test.run();
