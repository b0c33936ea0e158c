/** A sidecar with `--exit-on-change`: which changes end it. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FakeAwsProcess, startFakeAwsProcess } from '../fake-aws/client.ts';
import { makeSandbox, podIdentityEnv, type Sandbox } from '../support/sandbox.ts';
import { type Sidecar, startSidecar } from '../support/sidecar.ts';

const region = 'eu-west-1';

const exit = suite<{ aws: FakeAwsProcess; box: Sandbox; sidecars: Sidecar[] }>('exit on change');
exit.before(async (context) => {
  context.aws = await startFakeAwsProcess({
    identities: { app: { role: 'arn:aws:iam::111122223333:role/app', podIdentityTokens: ['pod-token'] } },
    regions: { [region]: { secrets: { a: 'one', b: 'one' } } },
  });
});
exit.after(({ aws }) => aws.stop());
exit.before.each(async (context) => {
  await context.aws.reset();
  context.box = makeSandbox();
  context.sidecars = [];
});
exit.after.each(async ({ box, sidecars }) => {
  for (const running of sidecars) running.child.kill('SIGKILL');
  await Promise.all(sidecars.map((running) => running.ended()));
  box.remove();
});

interface Fixture {
  readonly aws: FakeAwsProcess;
  readonly box: Sandbox;
  readonly sidecars: Sidecar[];
}

async function ready({ aws, box, sidecars }: Fixture): Promise<Sidecar> {
  box.writeConfig({
    objects: ['a', 'b'].map((objectName) => ({ objectName, objectType: 'secretsmanager' })),
  });
  const flags = ['--config', box.config, '--dir', box.dir, '--aws-timeout', '1m', '--exit-on-change', '88'];
  const running = await startSidecar(flags, podIdentityEnv(box, aws, 'pod-token'));
  sidecars.push(running);
  await running.event('sidecar.ready');
  return running;
}

exit('a change ends it with the code, after the publish', async (fixture) => {
  const { aws, box } = fixture;
  const running = await ready(fixture);
  await aws.putSecret({ region, name: 'a', string: 'two' });
  process.kill(running.pid, 'SIGHUP');
  const { code, stderr } = await running.ended();
  assert.is(code, 88);
  assert.match(stderr, '"event":"restart.requested"');
  assert.is(box.files().a, 'two');
});

exit(
  'the first publish of a process does not end it, and neither does a sync without a change',
  async (fixture) => {
    const { aws, box } = fixture;
    const first = await ready(fixture);
    await first.refresh();
    assert.equal(first.events('restart.requested'), []);
    first.child.kill('SIGTERM');
    assert.is((await first.ended()).code, 0);
    await aws.putSecret({ region, name: 'a', string: 'two' });
    const second = await ready(fixture);
    await second.event('publish.changed');
    assert.is(box.files().a, 'two');
    await second.refresh();
    assert.not.ok(second.hasEnded());
    second.child.kill('SIGTERM');
    const { code, stderr } = await second.ended();
    assert.is(code, 0);
    assert.not.match(stderr, 'restart.requested');
  },
);

exit('a sync that fails does not end it: the files stay', async (fixture) => {
  const { aws, box } = fixture;
  const running = await ready(fixture);
  await aws.putSecret({ region, name: 'a', string: 'two' });
  await aws.removeSecret({ region, name: 'b' });
  process.kill(running.pid, 'SIGHUP');
  await running.event('sync.failed');
  assert.equal([running.hasEnded(), box.files().a], [false, 'one']);
});

exit.run();
