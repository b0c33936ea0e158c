/** A rolling update away from the CSI driver, whose pods keep a Kubernetes Secret that the application reads. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { KubeObject } from './api.ts';
import { DRIVER_LABEL, startCsiDriver } from './csi-driver.ts';
import { appContainer, secretFile, secretProviderClass, shopDeployment } from './manifests.ts';
import { container, isReady, openScene, type Pod, type Scene } from './scene.ts';

const test = suite<{ scene: Scene }>('a migration from the CSI driver');

test.before(async (context) => {
  context.scene = await openScene();
});
test.after(({ scene }) => scene.close());

interface Secret extends KubeObject {
  readonly data: Readonly<Record<string, string>>;
}

/** Before: the driver keeps the Secret, the application has it in its environment. */
const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'shop-db', key: 'password' } } }];
const deployment = shopDeployment(appContainer({ env }));

test('the Secret is left to the driver, the new pod says so, and the old pods go on', async ({ scene }) => {
  const { api, namespace } = scene;
  await scene.apply([deployment]);
  const old = await scene.until('a pod', async () => (await scene.pods('shop'))[0], 30);
  const secret = { namespace, name: 'shop-db', data: { password: 'from the driver' }, interval: 200 };
  const driver = startCsiDriver(api, old, secret);
  try {
    await scene.until('the old pod to be ready', async () => (await scene.pods('shop')).every(isReady), 60);
    const file = secretFile(await scene.putSecret('db', 'from podsecrets'), 'db');
    const data = [{ objectName: 'db', key: 'password' }];
    const secretObjects = [{ secretName: 'shop-db', type: 'Opaque', data }];
    const config = secretProviderClass([file], { secretObjects });
    await scene.apply(scene.inject(deployment, config, ['--sync-secrets']));

    const ended = await scene.until(
      'a new pod that failed with 8',
      async () => {
        const fresh = (await scene.pods('shop')).find(({ metadata }) => metadata.uid !== old.metadata.uid);
        return failureOf(fresh);
      },
      90,
    );
    assert.is(ended.exitCode, 8);
    assert.match(ended.message ?? '', /shop-db.*\[kubernetes\.foreign\]/s);
    const before = driver.writes();
    await scene.until('the driver to write again', () => driver.writes() > before + 1, 30);
  } finally {
    await driver.stop();
  }
  const found = await api.call<Secret>('GET', `/api/v1/namespaces/${namespace}/secrets/shop-db`);
  assert.equal(found?.metadata.labels, { [DRIVER_LABEL]: 'true' });
  assert.equal(found?.data, { password: Buffer.from('from the driver').toString('base64') });
  const still = await scene.pod(old.metadata.name);
  assert.ok(still !== undefined && isReady(still));
});

/** How podsecrets has ended in this pod, if it has. */
function failureOf(pod: Pod | undefined) {
  const { state, lastState } = container(pod, 'podsecrets') ?? {};
  return state?.terminated ?? lastState?.terminated;
}

test.run();
