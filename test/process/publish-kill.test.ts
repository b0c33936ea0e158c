/** Real processes, killed with SIGKILL in the middle of publishing. The one with 500 kills is in test/soak. */

import { readdirSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { generationOf, pathsOf, steadyPaths } from '../support/generations.ts';
import { killTrial } from '../support/kill-trial.ts';
import { readTurn } from '../support/reader.ts';
import { scratch } from '../support/scratch.ts';

const test = suite('publishing under kill -9');

test('after 10 writers killed at random moments no file is torn, mixed or missing, and the next run converges', async () => {
  const dir = scratch();
  const { report, last } = await killTrial({ dir, kills: 10, interrupted: 2, random: Math.random });
  assert.equal(report.faults, []);

  const steady = Object.keys(steadyPaths);
  assert.is(readTurn(dir, { steady, pathsOf, generationOf }), last);
  const generations = readdirSync(dir).filter((name) => name.startsWith('..2'));
  assert.is(generations.length, 1);
  const names = new Set(pathsOf(last).map((path) => path.split('/')[0] ?? ''));
  assert.equal(
    readdirSync(dir).sort(),
    [...names, ...generations, '..data', '..holder', '..lock', '..write-lock'].sort(),
  );
});

test.run();
