import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { memoryCheck } from '../../src/doctor/kubernetes.ts';

const MIB = 1_048_576;

test('warns about a limit below 96Mi, and checks nothing without a limit', () => {
  const shown = (limit: number | undefined) =>
    memoryCheck(limit).map(({ status, text, problems }) => [status, text, problems[0]?.message]);
  assert.equal(shown(undefined), []);
  assert.equal(shown(96 * MIB), [['ok', 'limit 96Mi', undefined]]);
  assert.equal(shown(64 * MIB), [
    ['warning', 'limit 64Mi', 'expected at least 96Mi, got 64Mi: the start takes seconds, or never ends'],
  ]);
});

test.run();
