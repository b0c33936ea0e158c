import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isWithinLimits } from '../../src/http/response-shape.ts';

const accepts = (text: string) => isWithinLimits(new TextEncoder().encode(text));

test('the largest responses of AWS are parsed', () => {
  const stages = Array.from({ length: 20 }, (_, at) => `stage-${at}`);
  const secret = {
    ARN: 'a',
    Name: 'n',
    VersionId: 'v',
    SecretString: '{"a":[{},{}]}',
    VersionStages: stages,
  };
  const SecretValues = Array.from({ length: 20 }, () => ({ ...secret, CreatedDate: 1 }));
  assert.ok(accepts(JSON.stringify({ SecretValues, Errors: [{ SecretId: 'x', ErrorCode: 'y' }] })));
});

test('a value is not counted, whatever it contains', () => {
  const value = '{[,:'.repeat(100_000);
  for (const text of [value, `${value}\\`, `"${value}"`, `\\"${value}\\\\`])
    assert.ok(accepts(JSON.stringify({ SecretString: text })));
});

test('many elements, in a list or an object, are not parsed', () => {
  for (const text of ['[{},{}', '[[],[]', '{"a":1,"b":2', '"a","b",'])
    assert.not(accepts(text.repeat(5000)), text);
  // After a string with an escaped quote at its end.
  assert.not(accepts(`{"a":"\\\\\\"","b":[${'{},'.repeat(9000)}`));
});

test('more than 32 levels are not parsed', () => {
  assert.ok(accepts('['.repeat(32) + ']'.repeat(32)));
  assert.not(accepts('['.repeat(33)));
  assert.not(accepts('{"a":'.repeat(33)));
});

test('text that is not JSON is left to the parser', () => {
  for (const text of ['', '<html></html>', '"', '"\\', ']]]]', '{"a":"b']) assert.ok(accepts(text), text);
});

test.run();
