/**
 * A start that fails again and again. The kubelet does not reset the count of a startupProbe when a container ends by
 * itself: with a threshold near the timeout it would kill the second run, which could leave no message.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { secretFile, secretProviderClass, shopPod } from './manifests.ts';
import { container, openScene, type Scene } from './scene.ts';

const test = suite<{ scene: Scene }>('a start that fails');

test.before(async (context) => {
  context.scene = await openScene();
});
test.after(({ scene }) => scene.close());

/** The kubelet waits 10 s before the first restart, 20 s before the next. */
const RUNS = 2;

test('each run ends by itself after its timeout with the cause, and the application never starts', async ({
  scene,
}) => {
  const { aws, namespace } = scene;
  const on = { service: 'secretsmanager', id: `${namespace}/db` } as const;
  const number = await aws.addFault({ on, does: { kind: 'server-error' } });
  try {
    const config = secretProviderClass([secretFile(await scene.putSecret('db', 'x'), 'db')]);
    await scene.apply(scene.inject(shopPod(), config, ['--start-timeout=6s']));
    for (let run = 1; run <= RUNS; run++) {
      const ended = await scene.until(
        `the restart after run ${run}`,
        async () => {
          const { lastState, restartCount } = container(await scene.pod('shop'), 'podsecrets') ?? {};
          return restartCount === run && lastState?.terminated;
        },
        90,
      );
      assert.is(ended.exitCode, 5);
      assert.match(ended.message ?? '', /InternalServiceError.*\[fetch\.server\]/s);
    }
    const pod = await scene.pod('shop');
    assert.is(container(pod, 'app')?.containerID || undefined, undefined);
    const events = scene.kubectl(['get', 'events', '-o', 'jsonpath={.items[*].reason}']);
    assert.not.match(events, 'Killing');
  } finally {
    await aws.removeFault({ number });
  }
});

test.run();
