/**
 * What a start and a refresh cost grows no faster than the number of objects. `npm run bench` has the milliseconds, and `npm run
 * test:long` 5,000 objects.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startFakeAwsProcess } from '../fake-aws/client.ts';
import { type Cost, costsOf, objectsOf, seedOf } from './growth.ts';

const COUNTS = [1, 10, 100, 1000];
const test = suite<{ costs: ReadonlyMap<number, { readonly start: Cost; readonly refresh: Cost }> }>(
  'growth',
);

test.before(async (context) => {
  const aws = await startFakeAwsProcess(seedOf(Math.max(...COUNTS)));
  const costs = new Map<number, Awaited<ReturnType<typeof costsOf>>>();
  for (const count of COUNTS) costs.set(count, await costsOf(aws, objectsOf(count)));
  await aws.stop();
  context.costs = costs;
});

for (const phase of ['start', 'refresh'] as const) {
  test(`ten times as many objects need at most ten times the calls and bytes in a ${phase}`, ({ costs }) => {
    for (const [before, count] of [
      [1, 10],
      [10, 100],
      [100, 1000],
    ] as const) {
      for (const figure of ['calls', 'bytes'] as const) {
        const [less, more] = [before, count].map((n) => costs.get(n)?.[phase][figure] ?? Number.NaN);
        assert.ok(
          Number(more) <= 10 * Number(less) * 1.1,
          `${figure} of ${count} objects: ${more}, of ${before}: ${less}`,
        );
      }
    }
  });

  test(`connections of a ${phase} are limited, however many objects there are`, ({ costs }) => {
    for (const [count, cost] of costs) assert.ok(cost[phase].connections <= 16, `${count} objects`);
  });

  test(`an object adds at most 48 KiB to the peak of memory in a ${phase}`, ({ costs }) => {
    const [one, thousand] = [1, 1000].map((count) => costs.get(count)?.[phase].peak ?? Number.NaN);
    assert.ok(Number(thousand) - Number(one) <= 1000 * 48, `${one} KiB for one, ${thousand} for a thousand`);
  });
}

test('200 values of 64 KiB add at most ten times their size to the peak of memory', async ({ costs }) => {
  const [count, size] = [200, 64];
  const aws = await startFakeAwsProcess(seedOf(count, () => 'x'.repeat(size * 1024)));
  const secrets = Array.from({ length: count }, (_, n) => ({
    objectName: `secret-${n}`,
    objectType: 'secretsmanager',
  }));
  const large = await costsOf(aws, secrets);
  await aws.stop();
  for (const phase of ['start', 'refresh'] as const) {
    const more = large[phase].peak - (costs.get(1)?.[phase].peak ?? Number.NaN);
    assert.ok(more <= 10 * count * size, `${phase}: ${more} KiB more than one small value`);
    assert.ok(large[phase].connections <= 16);
  }
});

test.run();
