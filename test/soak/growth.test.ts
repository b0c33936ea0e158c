import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { costsOf, objectsOf, seedOf } from '../budget/growth.ts';
import { startFakeAwsProcess } from '../fake-aws/client.ts';

test('5,000 objects cost at most five times the calls and bytes of 1,000, and 48 KiB of memory each', async () => {
  const aws = await startFakeAwsProcess(seedOf(5000));
  const thousand = await costsOf(aws, objectsOf(1000));
  const more = await costsOf(aws, objectsOf(5000));
  await aws.stop();
  for (const phase of ['start', 'refresh'] as const) {
    for (const figure of ['calls', 'bytes'] as const) {
      const [less, all] = [thousand[phase][figure], more[phase][figure]];
      assert.ok(all <= 5 * less * 1.1, `${figure} of a ${phase}: ${less}, then ${all}`);
    }
    assert.ok(more[phase].connections <= 16);
    const added = more[phase].peak - thousand[phase].peak;
    assert.ok(added <= 4000 * 48, `peak of a ${phase}: ${added} KiB more`);
  }
});

test.run();
