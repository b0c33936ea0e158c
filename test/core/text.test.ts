import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nearest, printable, quoted } from '../../src/core/text.ts';

test('control characters cannot forge a log line or drive a terminal', () => {
  assert.is(printable('a\nb\r\t\u001b[31m\u0000'), 'a\\nb\\r\\t\\x1b[31m\\x00');
});

test('bidirectional and invisible characters are shown by their code', () => {
  assert.is(printable('user\u202etxt\u200b\ufeff'), 'user\\u202etxt\\u200b\\ufeff');
  assert.is(printable('tag\u{e0041}'), 'tag\\u{e0041}');
  assert.is(printable('a\u061c\u2060\u00ad'), 'a\\u061c\\u2060\\xad');
});

test('a lone surrogate is shown, a pair is text', () => {
  assert.is(printable('\ud800 😀'), '\\ud800 😀');
});

test('what is printable comes back unchanged, however often', () => {
  const once = printable('C:\\path\n"x"');
  assert.is(printable(once), once);
});

test('long text is cut', () => {
  assert.is(printable('x'.repeat(300), 10), `${'x'.repeat(10)}…`);
});

test('quotes inside quotes are escaped', () => {
  assert.is(quoted('say "hi"'), '"say \\"hi\\""');
});

test('a slip of two letters finds the name that was meant', () => {
  assert.is(nearest('objectAlais', ['objectName', 'objectAlias']), 'objectAlias');
  assert.is(nearest('chekc', ['check', 'init']), 'check');
});

test('a different word finds nothing', () => {
  assert.is(nearest('banana', ['objectName', 'objectAlias']), undefined);
});

test.run();
