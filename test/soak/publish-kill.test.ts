/** Publishing under kill -9, 500 times. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { killTrial } from '../support/kill-trial.ts';
import { scratch } from '../support/scratch.ts';

const test = suite('publishing under kill -9, at length');

test('500 writers killed at random moments: no file is ever torn, mixed or missing', async () => {
  const { report } = await killTrial({
    dir: scratch(),
    kills: 500,
    interrupted: 50,
    random: Math.random,
  });
  assert.equal(report.faults, []);
});

test.run();
