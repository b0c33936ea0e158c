/** A rolling update away from the CSI driver, whose pods keep a Kubernetes Secret that the application reads. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { KubeObject } from './api.ts';
import { type CsiDriver, DRIVER_LABEL, startCsiDriver } from './csi-driver.ts';
import { appContainer, secretFile, secretProviderClass, shopDeployment } from './manifests.ts';
import { container, isReady, openScene, type Pod, type Scene } from './scene.ts';

const test = suite<{ scene: Scene }>('a migration from the CSI driver');

test.before.each(async (context) => {
  context.scene = await openScene();
});
test.after.each(({ scene }) => scene.close());

interface Secret extends KubeObject {
  readonly data: Readonly<Record<string, string>>;
}

/** Before: the driver keeps the Secret, the application has it in its environment. */
const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'shop-db', key: 'password' } } }];
const deployment = shopDeployment(appContainer({ env }));
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** The Deployment runs, and the driver keeps its Secret with a key that the config does not have any more. */
async function startOldPod(scene: Scene): Promise<{ readonly old: Pod; readonly driver: CsiDriver }> {
  const { api, namespace } = scene;
  await scene.apply([deployment]);
  const old = await scene.until('a pod', async () => (await scene.pods('shop'))[0], 30);
  const data = { password: 'from the driver', user: 'of long ago' };
  const driver = startCsiDriver(api, old, { namespace, name: 'shop-db', data, interval: 3000 });
  await scene.until('the old pod to be ready', async () => (await scene.pods('shop')).every(isReady), 60);
  return { old, driver };
}

/** The rolling update to podsecrets begins. */
async function update(scene: Scene, flags: readonly string[]): Promise<void> {
  const file = secretFile(await scene.putSecret('db', 'from podsecrets'), 'db');
  const data = [{ objectName: 'db', key: 'password' }];
  const config = secretProviderClass([file], {
    secretObjects: [{ secretName: 'shop-db', type: 'Opaque', data }],
  });
  await scene.apply(scene.inject(deployment, config, ['--sync-secrets', ...flags]));
}

const newPod = async (scene: Scene, old: Pod) =>
  (await scene.pods('shop')).find(({ metadata }) => metadata.uid !== old.metadata.uid);
const secretOf = ({ api, namespace }: Scene) =>
  api.call<Secret>('GET', `/api/v1/namespaces/${namespace}/secrets/shop-db`);

test('without the flag the Secret stays with the driver, the new pod reports that, and the old pod continues', async ({
  scene,
}) => {
  const { old, driver } = await startOldPod(scene);
  try {
    await update(scene, []);
    const ended = await scene.until(
      'a new pod that failed',
      async () => failureOf(await newPod(scene, old)),
      90,
    );
    assert.is(ended.exitCode, 8);
    assert.match(ended.message ?? '', /shop-db.*--adopt-driver-secrets.*\[kubernetes\.foreign\]/s);
  } finally {
    await driver.stop();
  }
  const secret = await secretOf(scene);
  assert.equal(secret?.metadata.labels, { [DRIVER_LABEL]: 'true' });
  assert.equal(secret?.data, { password: base64('from the driver'), user: base64('of long ago') });
  const still = await scene.pod(old.metadata.name);
  assert.ok(still !== undefined && isReady(still));
});

test('with the flag podsecrets takes the Secret over while the driver still writes, and keeps it after the old ReplicaSet is deleted', async ({
  scene,
}) => {
  const { old, driver } = await startOldPod(scene);
  try {
    await update(scene, ['--adopt-driver-secrets', '--interval=1s']);
    await scene.until(
      'the end of the rolling update',
      async () => {
        const fresh = await newPod(scene, old);
        const before = await scene.pod(old.metadata.name);
        return fresh !== undefined && isReady(fresh) && before?.metadata.deletionTimestamp !== undefined;
      },
      90,
    );
  } finally {
    await driver.stop();
  }
  // The last write of the driver: the garbage collector would delete the Secret with the old ReplicaSet.
  await driver.write();
  const [{ name: replicaSet = '' } = {}] = old.metadata.ownerReferences as readonly {
    readonly name: string;
  }[];
  scene.kubectl(['delete', 'replicaset', replicaSet]);

  const secret = await scene.until(
    'a Secret that only podsecrets manages',
    async () => {
      const found = await secretOf(scene);
      const managers = found?.metadata.managedFields as readonly { readonly manager: string }[] | undefined;
      const isOnlyManager = managers?.every(({ manager }) => manager === 'podsecrets');
      return isOnlyManager && found;
    },
    120,
  );
  assert.equal(secret.data, { password: base64('from podsecrets') });
  assert.is(secret.metadata.ownerReferences, undefined);
  assert.not.ok(DRIVER_LABEL in (secret.metadata.labels as object));
});

/** The termination of podsecrets in this pod, if it has ended. */
function failureOf(pod: Pod | undefined) {
  const { state, lastState } = container(pod, 'podsecrets') ?? {};
  return state?.terminated ?? lastState?.terminated;
}

test.run();
