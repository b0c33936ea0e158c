/** A sidecar with `--exit-on-change`: which changes end it. */

import * as assert from 'uvu/assert';
import { region, type SidecarFixture, sidecarSuite, startReady } from '../support/sidecar-suite.ts';

const exit = sidecarSuite('exit on change', { a: 'one', b: 'one' });
exit.before.each(({ box }) => {
  box.writeConfig({
    objects: ['a', 'b'].map((objectName) => ({ objectName, objectType: 'secretsmanager' })),
  });
});

const ready = (fixture: SidecarFixture) => startReady(fixture, ['--exit-on-change', '88']);

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
