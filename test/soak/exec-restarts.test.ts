/** A hundred restarts of commands that are hard to stop. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startFakeAwsProcess } from '../fake-aws/client.ts';
import { children, rotations } from '../support/supervised.ts';

const count = 100;

for (const kind of Object.keys(children) as (keyof typeof children)[]) {
  test(`a command that ${kind} is restarted at each rotation, and gone before the next one starts`, async () => {
    const aws = await startFakeAwsProcess({
      identities: {
        app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: ['pod-token'] },
      },
      regions: { 'eu-west-1': { secrets: { db: 'value-0' } } },
    });
    try {
      const expected = Array.from({ length: count + 1 }, (_, index) => `value-${index}`);
      assert.equal(await rotations(aws, 'db', kind, count), expected);
    } finally {
      await aws.stop();
    }
  });
}

test.run();
