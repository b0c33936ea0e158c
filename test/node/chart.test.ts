/** The chart: as a dependency of an application's chart, and as the policy of a cluster. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { render, renderShop } from '../support/helm.ts';
import type { KubeObject } from './api.ts';
import { REGION } from './identity.ts';
import { images } from './images.ts';
import { appContainer, secretFile, secretProviderClass, shopPod } from './manifests.ts';
import { container, isReady, objectsIn, openScene, type Scene } from './scene.ts';

const test = suite<{ scene: Scene }>('the chart');
const RELEASE = '1.36';

test.before.each(async (context) => {
  context.scene = await openScene();
});
test.after.each(({ scene }) => scene.close());

test('as a dependency: the application of the other chart has its files and its Secret', async ({
  scene,
}) => {
  await scene.aws.putSecret({ region: REGION, name: 'prod/db', string: 'hunter2' });
  const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'shop-db', key: 'password' } } }];
  const command = ['sh', '-c', 'echo "$PASSWORD, $(cat /mnt/secrets-store/prod_db)"; exec sleep 3600'];
  const rendered = renderShop(RELEASE, ['options.syncSecrets=true'])
    .replaceAll('namespace: shop', `namespace: ${scene.namespace}`)
    .replace(
      'image: nginx:1.29',
      `image: ${images.app}\n        env: ${JSON.stringify(env)}\n        command: ${JSON.stringify(command)}`,
    );
  await scene.apply(objectsIn(rendered));
  const [pod] = await scene.until(
    'a pod that is ready',
    async () => {
      const pods = await scene.pods('shop');
      return pods.length === 1 && pods.every(isReady) && pods;
    },
    90,
  );
  const log = () => scene.log(pod?.metadata.name ?? '', 'app');
  await scene.until('the same value twice', async () => (await log()) === 'hunter2, hunter2\n', 20);
});

test('as a policy: a pod with the annotation gets podsecrets, with its identity, and starts', async ({
  scene,
}) => {
  const { namespace, api } = scene;
  const selector = `policy.namespaceSelector.matchLabels.kubernetes\\.io/metadata\\.name=${namespace}`;
  const policy = objectsIn(render(RELEASE, [selector]));
  const config = secretProviderClass([secretFile(await scene.putSecret('db', 'hunter2'), 'db')]);
  const configMap = { metadata: { name: 'shop' }, data: { 'config.yaml': JSON.stringify(config) } };
  await api.call('POST', `/api/v1/namespaces/${namespace}/configmaps`, configMap);
  const command = ['sh', '-c', 'cat /mnt/secrets-store/db; echo; exec sleep 3600'];
  const metadata = { name: 'shop', annotations: { 'podsecrets.io/inject': 'shop' } };
  const pod = { ...shopPod(appContainer({ command })), metadata };
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  try {
    await scene.apply(policy);
    // A new policy is in force after a moment.
    await scene.until(
      'the policy to act',
      async () => JSON.stringify(await api.call('POST', `${pods}?dryRun=All`, pod)).includes('"podsecrets"'),
      60,
    );
    await api.call('POST', pods, pod);
    await scene.ready('shop');
    await scene.until(
      'the secret in the log',
      async () => (await scene.log('shop', 'app')) === 'hunter2\n',
      20,
    );
    assert.is(container(await scene.pod('shop'), 'podsecrets')?.restartCount, 0);
  } finally {
    const list = { apiVersion: 'v1', kind: 'List', items: policy as readonly KubeObject[] };
    scene.kubectl(['delete', '--ignore-not-found', '-f', '-'], JSON.stringify(list));
  }
});

test.run();
