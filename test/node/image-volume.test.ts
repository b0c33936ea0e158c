/** The project's image as a volume of an application whose own image has no shell, no library and no podsecrets. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { version } from '../../src/core/version.ts';
import { images } from './images.ts';
import { shopPod } from './manifests.ts';
import { openScene, type Scene } from './scene.ts';

const test = suite<{ scene: Scene }>('an image volume');

test.before(async (context) => {
  context.scene = await openScene();
});
test.after(({ scene }) => scene.close());

test('an application without a shell runs the program from the volume', async ({ scene }) => {
  // The image has one program: /pause.
  const command = ['/podsecrets/podsecrets', '--version'];
  const volumeMounts = [{ name: 'program', mountPath: '/podsecrets', subPath: 'podsecrets' }];
  const app = { name: 'app', image: images.pause, command, volumeMounts };
  const program = { name: 'program', image: { reference: images.podsecrets, pullPolicy: 'IfNotPresent' } };
  await scene.apply([shopPod(app, { restartPolicy: 'Never', volumes: [program] })]);
  const { status } = await scene.until(
    'the end of the application',
    async () => {
      const pod = await scene.pod('shop');
      return ['Succeeded', 'Failed'].includes(pod?.status.phase ?? '') && pod;
    },
    60,
  );
  assert.is(status.phase, 'Succeeded', JSON.stringify(status));
  assert.is(await scene.log('shop', 'app'), `podsecrets ${version}\n`);
});

test.run();
