/** The built sidecar, whose workers are killed in 500 syncs and 100 notifications, and which itself is killed in 100 of each. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { killInSyncs } from '../support/worker-kills.ts';

const test = suite('a sidecar under kill -9');

for (const [what, times] of [
  ['worker', 500],
  ['notify worker', 100],
  ['sidecar', 100],
  ['sidecar that notifies', 100],
] as const) {
  test(`kill -9 of the ${what} in ${times} syncs: nothing torn, nothing lost, the newest generation is notified`, async () => {
    const { killed } = await killInSyncs(times, what);
    assert.ok(killed > times / 4, `${killed} kills`);
    process.stdout.write(`\n${times} syncs, ${killed} kills of the ${what}\n`);
  });
}

test.run();
