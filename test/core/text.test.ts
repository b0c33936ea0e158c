import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { didYouMean, escapeControl, escapedJson, quote, sentence } from '../../src/core/text.ts';

test('control characters cannot forge a log line or drive a terminal', () => {
  assert.is(escapeControl('a\nb\r\t\u001b[31m\u0000'), 'a\\nb\\r\\t\\x1b[31m\\x00');
});

test('bidirectional and invisible characters are shown by their code', () => {
  assert.is(escapeControl('user\u202etxt\u200b\ufeff'), 'user\\u202etxt\\u200b\\ufeff');
  assert.is(escapeControl('tag\u{e0041}'), 'tag\\u{e0041}');
  assert.is(escapeControl('a\u061c\u2060\u00ad'), 'a\\u061c\\u2060\\xad');
});

test('a lone surrogate is shown, a pair is text', () => {
  assert.is(escapeControl('\ud800 😀'), '\\ud800 😀');
});

test('what is printable comes back unchanged, however often', () => {
  const once = escapeControl('C:\\path\n"x"');
  assert.is(escapeControl(once), once);
});

test('long text is cut', () => {
  assert.is(escapeControl('x'.repeat(300), 10), `${'x'.repeat(10)}…`);
});

test('quotes inside quotes are escaped', () => {
  assert.is(quote('say "hi"'), '"say \\"hi\\""');
});

test('a slip of two letters finds the name that was meant', () => {
  assert.is(didYouMean('objectAlais', ['objectName', 'objectAlias']), 'objectAlias');
  assert.is(didYouMean('chekc', ['check', 'init']), 'check');
});

test('a different word finds nothing', () => {
  assert.is(didYouMean('banana', ['objectName', 'objectAlias']), undefined);
});

test('JSON for a terminal means the same, and holds nothing that drives one', () => {
  const value = { 'a\u202e': ['\u2028\u2029', '\u009b2J', '\u{e0001}', 'ä', '\u200f'] };
  const text = escapedJson(value);
  assert.equal(JSON.parse(text), value);
  assert.not.match(text, /[\p{Format}\p{Zl}\p{Zp}\p{Control}]/u);
  assert.match(text, 'ä');
});

test('a sentence ends with one full stop', () => {
  assert.is(sentence('expected x, got y'), 'expected x, got y.');
  assert.is(sentence('AWS said: "No."'), 'AWS said: "No.".');
  assert.is(sentence('AWS said: No.'), 'AWS said: No.');
});

test.run();
