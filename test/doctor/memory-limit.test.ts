import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { memoryCheck } from '../../src/doctor/kubernetes.ts';

const MIB = 1_048_576;

test('warns about a limit below 80Mi, and checks nothing without a limit', () => {
  const shown = (limit: number | undefined) =>
    memoryCheck(limit).map(({ status, text, problems }) => [status, text, problems[0]?.message]);
  assert.equal(shown(undefined), []);
  assert.equal(shown(80 * MIB), [['ok', 'limit 80Mi', undefined]]);
  assert.equal(shown(64 * MIB), [
    ['warning', 'limit 64Mi', 'expected at least 80Mi, got 64Mi: the start takes seconds, or never ends'],
  ]);
});

test.run();
