/** README's pod, unchanged except for what EKS adds. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import { parse } from 'yaml';
import { secretFile, secretProviderClass } from './manifests.ts';
import { associate, openScene, type Scene } from './scene.ts';

const test = suite<{ scene: Scene }>('the pod of the README');
const readme = readFileSync(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8');
const [, spec = ''] = /<!-- pod-spec[^\n]*\n```yaml\n([\s\S]*?)```/.exec(readme) ?? [];

test.before(async (context) => {
  context.scene = await openScene();
});
test.after(({ scene }) => scene.close());

test('starts with the file that its application reads', async ({ scene }) => {
  const { namespace, api } = scene;
  const config = secretProviderClass([secretFile(await scene.putSecret('db-user', 'shopkeeper'), 'db-user')]);
  await api.call('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'shop' } });
  await associate(api, namespace, 'shop');
  await scene.apply([
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'podsecrets-shop' },
      data: { 'config.yaml': JSON.stringify(config) },
    },
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'shop' }, spec: parse(spec) },
  ]);
  await scene.ready('shop');
  await scene.until(
    'the secret in the log',
    async () => (await scene.log('shop', 'shop')) === 'shopkeeper\n',
    10,
  );
});

test.run();
