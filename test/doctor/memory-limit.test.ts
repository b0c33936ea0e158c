import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { memoryCheck, readMemoryLimit } from '../../src/doctor/kubernetes.ts';
import { scratch } from '../support/scratch.ts';

const MIB = 1_048_576;

test('reads the limit of cgroup version 2 or 1', () => {
  const root = scratch();
  assert.is(readMemoryLimit(root), undefined);
  mkdirSync(join(root, 'memory'));
  const v1 = join(root, 'memory/memory.limit_in_bytes');
  writeFileSync(v1, '9223372036854771712\n');
  assert.is(readMemoryLimit(root), undefined);
  writeFileSync(v1, `${64 * MIB}\n`);
  assert.is(readMemoryLimit(root), 64 * MIB);
  writeFileSync(join(root, 'memory.max'), 'max\n');
  assert.is(readMemoryLimit(root), undefined);
  writeFileSync(join(root, 'memory.max'), `${128 * MIB}\n`);
  assert.is(readMemoryLimit(root), 128 * MIB);
});

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
