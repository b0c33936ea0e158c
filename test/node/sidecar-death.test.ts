/** A sidecar that is killed or hangs: the kubelet restarts it, and the application is not affected. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { appContainer, secretFile, secretProviderClass, shopPod } from './manifests.ts';
import { type ContainerStatus, container, openScene, pidOf, type Scene } from './scene.ts';

const test = suite<{ scene: Scene }>('the end of a sidecar');

test.before.each(async (context) => {
  context.scene = await openScene();
});
test.after.each(({ scene }) => scene.close());

async function startPod(scene: Scene): Promise<ContainerStatus> {
  const config = secretProviderClass([secretFile(await scene.putSecret('db', 'first'), 'db')]);
  // A frozen process does not handle SIGTERM, so the kubelet kills it only after the whole grace period.
  const pod = shopPod(appContainer(), { terminationGracePeriodSeconds: 5 });
  await scene.apply(scene.inject(pod, config, ['--interval=1s']));
  return container(await scene.ready('shop'), 'podsecrets') as ContainerStatus;
}

/** A value with the time of the file that has it. */
const file = (scene: Scene) =>
  scene.exec('shop', 'app', 'cd /mnt/secrets-store && cat db && stat -L -c " %y" db');

async function isStartedAgain(scene: Scene, seconds: number): Promise<void> {
  await scene.until(
    'a sidecar that was started again and is ready',
    async () => {
      const status = container(await scene.pod('shop'), 'podsecrets');
      return status?.restartCount === 1 && status.ready;
    },
    seconds,
  );
  assert.is(container(await scene.pod('shop'), 'app')?.restartCount, 0);
}

async function rotates(scene: Scene): Promise<void> {
  await scene.putSecret('db', 'second');
  await scene.until('the rotated value', () => file(scene).startsWith('second '), 30);
}

test('kill -9: the files stay, and the next rotation is published', async ({ scene }) => {
  const status = await startPod(scene);
  const before = file(scene);
  process.kill(pidOf(scene, status), 'SIGKILL');
  await isStartedAgain(scene, 60);
  assert.is(file(scene), before);
  await rotates(scene);
});

test('frozen: the liveness probe restarts it, and the next rotation is published', async ({ scene }) => {
  const status = await startPod(scene);
  const before = file(scene);
  process.kill(pidOf(scene, status), 'SIGSTOP');
  // Three probes that fail, ten seconds apart, and the grace period.
  await isStartedAgain(scene, 150);
  assert.is(file(scene), before);
  await rotates(scene);
});

test.run();
