/** A config without objects is rejected by every command, and the files that are there stay. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { run } from '../support/program.ts';
import { makeSandbox, type Sandbox } from '../support/sandbox.ts';

const test = suite<{ box: Sandbox }>('a config without objects');
test.before.each((context) => {
  context.box = makeSandbox();
});
test.after.each(({ box }) => box.remove());

const pod = `apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  containers: [{name: shop, image: shop}]
`;

for (const command of ['check', 'init', 'sidecar', 'doctor', 'inject']) {
  test(`${command} exits with 3, and names the place of the objects`, async ({ box }) => {
    box.writeConfig({ region: 'eu-west-1', object: '- {objectName: a, objectType: secretsmanager}' });
    mkdirSync(join(box.dir, 'before'));
    writeFileSync(join(box.dir, 'before', 'file'), 'as it was');
    const manifest = command === 'inject' ? ['-f', box.write('pod.yaml', pod)] : [];
    const directory = command === 'check' || command === 'inject' ? [] : ['--dir', box.dir];
    const ended = await run([command, '--config', box.config, ...directory, ...manifest], {});
    assert.is(ended.code, 3, ended.stderr);
    assert.match(ended.stdout + ended.stderr, /spec\.parameters\.object on line \d+, which is ignored/);
    assert.match(ended.stdout + ended.stderr, 'config.objects');
    assert.equal(box.files(), { 'before/file': 'as it was' });
  });
}

test.run();
