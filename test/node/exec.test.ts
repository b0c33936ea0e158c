/** `inject --exec`: an application in an image without a shell starts with the secrets in its environment. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { images } from './images.ts';
import { secretFile, secretProviderClass, shopPod } from './manifests.ts';
import { container, openScene, type Scene } from './scene.ts';

const test = suite<{ scene: Scene }>('inject --exec');
const VALUE = 'p$HOME "q" \\n #1 = é  ';

test.before(async (context) => {
  context.scene = await openScene();
});
test.after(({ scene }) => scene.close());

test('the application is the only container, and its variables have the values of the secret', async ({
  scene,
}) => {
  const object = { ...secretFile(await scene.putSecret('db', VALUE), 'password'), env: 'PASSWORD' };
  const app = { name: 'app', image: images.bare, command: ['/env'] };
  const pod = shopPod(app, { restartPolicy: 'Never' });
  await scene.apply(scene.inject(pod, secretProviderClass([object]), ['--exec', '--as=none']));
  const ended = await scene.until(
    'the end of the application',
    async () => {
      const found = await scene.pod('shop');
      return container(found, 'app')?.state.terminated && found;
    },
    90,
  );
  const log = await scene.log('shop', 'app');
  assert.is(container(ended, 'app')?.state.terminated?.exitCode, 0, log);
  assert.is(ended.status.initContainerStatuses, undefined);
  assert.ok(log.split('\n').includes(`PASSWORD=${VALUE}`), log);
});

test.run();
