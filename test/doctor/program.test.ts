/** What `doctor` reports of the program in /podsecrets. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { programCheck } from '../../src/doctor/program.ts';

const test = suite('the program in /podsecrets');

test('is not reported where it is not mounted', () => {
  assert.equal(programCheck('missing'), []);
});

test('is ok if it can be started', () => {
  assert.equal(
    programCheck('program').map(({ status, text }) => [status, text]),
    [['ok', '/podsecrets/podsecrets can be started by exec']],
  );
});

test('is a warning on a volume that is mounted noexec, and for a user who may not execute it', () => {
  for (const [kind, cause] of [
    ['forbidden', 'mounted noexec'],
    ['notExecutable', 'its mode does not allow'],
  ] as const) {
    const [check] = programCheck(kind);
    assert.is(check?.status, 'warning');
    assert.match(check?.problems[0]?.message ?? '', cause);
    assert.match(check?.problems[0]?.remedy ?? '', 'COPY --from');
  }
});

test.run();
