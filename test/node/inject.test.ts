/** The injected Deployment of the CSI driver: the example, except for its image. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { binary } from '../support/program.ts';
import { REGION } from './identity.ts';
import { images } from './images.ts';
import { associate, isReady, objectsIn, openScene, type Scene } from './scene.ts';

const test = suite<{ scene: Scene }>('inject');
const example = join(import.meta.dirname, '..', '..', 'examples', 'migrate-from-csi');

test.before(async (context) => {
  context.scene = await openScene();
});
test.after(({ scene }) => scene.close());

test('a Deployment of the CSI driver runs without the driver', async ({ scene }) => {
  const { namespace, api, aws } = scene;
  const account = 'nginx-pod-identity-deployment-sa';
  await api.call('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: account } });
  await associate(api, namespace, account);
  await aws.putSecret({ region: REGION, name: 'MySecret', string: 'from before' });

  const command = '["sh", "-c", "cat /mnt/secrets-store/MySecret && exec sleep 3600"]';
  const deployment = readFileSync(join(example, 'deployment.yaml'), 'utf8').replace(
    'image: nginx\n',
    `image: ${images.busybox}\n        command: ${command}\n`,
  );
  const config = join(example, 'secret-provider-class.yaml');
  const injected = execFileSync(binary, ['inject', '-f', '-', '-n', namespace, '--config', config], {
    input: deployment,
    encoding: 'utf8',
  });
  assert.not.match(injected, 'secrets-store.csi.k8s.io\n');
  await scene.apply(objectsIn(injected));

  const pods = await scene.until(
    'two pods that are ready',
    async () => {
      const all = await scene.pods('nginx-pod-identity');
      return all.length === 2 && all.every(isReady) && all;
    },
    120,
  );
  for (const { metadata } of pods) {
    const read = 'cat /mnt/secrets-store/MySecret';
    assert.is(scene.exec(metadata.name, 'nginx-pod-identity-deployment', read), 'from before');
  }
});

test.run();
