/** A rotation, seen by the application: a signal across containers, and the new file under a subPath mount. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { appContainer, secretFile, secretProviderClass, shopPod } from './manifests.ts';
import { openScene, type Scene } from './scene.ts';

const test = suite<{ scene: Scene }>('rotation');
/** Prints what it reads, at its start and on each SIGHUP. */
const reloader = `trap 'echo "after SIGHUP: $(cat /mnt/secrets-store/db)"' HUP
echo "at start: $(cat /mnt/secrets-store/db)"
while :; do sleep 1 & wait $!; done`;

test.before(async (context) => {
  context.scene = await openScene();
});
test.after(({ scene }) => scene.close());

test('a process in another container gets SIGHUP once and then reads the new value', async ({ scene }) => {
  const config = secretProviderClass([secretFile(await scene.putSecret('db', 'first'), 'db')]);
  const pod = shopPod(appContainer({ command: ['sh', '-c', reloader] }), {
    shareProcessNamespace: true,
    securityContext: { runAsUser: 10_001, runAsGroup: 10_001 },
  });
  const flags = ['--interval=1s', '--notify-signal=SIGHUP', '--notify-process=sh'];
  await scene.apply(scene.inject(pod, config, flags));
  await scene.ready('shop');
  await scene.until(
    'the first value',
    async () => (await scene.log('shop', 'app')).includes('at start: first'),
    20,
  );

  await scene.putSecret('db', 'second');
  await scene.until(
    'a reload',
    async () => (await scene.log('shop', 'app')).includes('after SIGHUP: second'),
    60,
  );
  await scene.putSecret('db', 'third');
  await scene.until(
    'another',
    async () => (await scene.log('shop', 'app')).includes('after SIGHUP: third'),
    60,
  );
  // Syncs without a change come in between.
  const lines = (await scene.log('shop', 'app')).trim().split('\n');
  assert.equal(lines, ['at start: first', 'after SIGHUP: second', 'after SIGHUP: third']);
});

test.run();
