/** `--exit-on-change`: the code that the sidecar exits with is the one for which the pod restarts its containers. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Problem } from '../../src/core/problem.ts';
import { config } from '../support/config.ts';
import { containersIn, injected } from '../support/inject.ts';
import { rejects } from '../support/rejects.ts';

const shop = config('\n  - {objectName: db, objectType: secretsmanager}');
const text =
  'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - {name: app, image: app}\n';
const since = '1.36';

test('the sidecar gets the option, and the rule for its code', async () => {
  const { objects } = await injected({ text, config: shop, flags: '--exit-on-change 88', since });
  const [sidecar] = containersIn(objects, 'initContainers') as unknown as readonly [Record<string, unknown>];
  assert.ok((sidecar.args as readonly string[]).includes('--exit-on-change=88'));
  assert.is(sidecar.restartPolicy, 'Always');
  assert.equal(sidecar.restartPolicyRules, [
    { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [88] } },
  ]);
});

test('without a native sidecar the option is rejected', async () => {
  for (const as of ['init', 'init+sidecar']) {
    const flags = `--as ${as} --exit-on-change 88`;
    const error = (await rejects(injected({ text, config: shop, flags, since }))) as Problem;
    assert.is(error.subject, '--exit-on-change');
    assert.match(error.message, `has no effect with --as ${as}`);
  }
});

test.run();
