/** The wall clock of the built sidecar jumps, and the sidecar goes on at its interval. */

import { execFileSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startFakeAwsProcess } from '../fake-aws/client.ts';
import { isNotTested } from '../support/allowed.ts';
import { makeSandbox, podIdentityEnv } from '../support/sandbox.ts';
import { startSidecar } from '../support/sidecar.ts';
import { canStepClock, steppedClock } from '../support/stepped-clock.ts';
import { until } from '../support/wait.ts';

const test = suite('the wall clock of a sidecar');
const region = 'eu-west-1';
const MINUTES = 60;

test('after it was set forward and back, changes are published at the interval', async () => {
  if (!canStepClock()) return void isNotTested('a wall clock that jumps: there is no C compiler');
  const aws = await startFakeAwsProcess({
    identities: { app: { podIdentityTokens: ['pod-token'] } },
    regions: { [region]: { secrets: { a: '0' } } },
  });
  const box = makeSandbox();
  const clock = steppedClock();
  box.writeConfig({ objects: [{ objectName: 'a', objectType: 'secretsmanager' }] });
  const args = ['--config', box.config, '--dir', box.dir, '--interval', '1s'];
  const running = await startSidecar(args, { ...podIdentityEnv(box, aws, 'pod-token'), ...clock.env });
  const timeOf = (at: number) => Date.parse(String(running.events('publish.changed').at(at)?.time));
  try {
    await running.event('sidecar.ready');
    const times: number[] = [];
    for (const [turn, minutes] of [20, -20, 0].entries()) {
      clock.step(minutes * MINUTES);
      await aws.putSecret({ region, name: 'a', string: String(turn + 1) });
      // The first one was of the start.
      await running.event('publish.changed', turn + 2);
      assert.equal(box.files(), { a: String(turn + 1) });
      assert.is((await running.page('/readyz')).status, 200);
      times.push(timeOf(turn + 1));
    }
    const [forward = 0, back = 0] = times;
    assert.ok(forward - back > 30 * MINUTES * 1000, 'the clock did jump');
    // Every replaced set is removed, also those of the future.
    const sets = () =>
      execFileSync('find', [box.dir, '-maxdepth', '1', '-name', '..2*.??????'], { encoding: 'utf8' });
    await until('one set', () => sets().trim().split('\n').length === 1);
    running.child.kill('SIGTERM');
    assert.is((await running.ended()).code, 0);
  } finally {
    running.child.kill('SIGKILL');
    await running.ended();
    await aws.stop();
    box.remove();
  }
});

test.run();
