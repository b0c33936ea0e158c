/** Edits of the ConfigMap of a running pod. The kubelet puts them into the volume, after a while. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { secretFile, secretProviderClass, shopPod } from './manifests.ts';
import { container, openScene, type Scene } from './scene.ts';

const test = suite<{ scene: Scene }>('an edit of the ConfigMap');

test.before(async (context) => {
  context.scene = await openScene();
});
test.after(({ scene }) => scene.close());

test('adds and removes files in the running pod; an invalid one changes nothing', async ({ scene }) => {
  const object = async (name: string) => secretFile(await scene.putSecret(name, `value of ${name}`), name);
  const [old, fresh] = [await object('old'), await object('new')];
  const objects = scene.inject(shopPod(), secretProviderClass([old]));
  await scene.apply(objects);
  await scene.ready('shop');
  const configMap = objects.find(({ kind }) => kind === 'ConfigMap')?.metadata.name ?? '';
  const edit = (text: string) => {
    const patch = JSON.stringify({ data: { 'config.yaml': text } });
    scene.kubectl(['patch', 'configmap', configMap, '--type=merge', '-p', patch]);
  };
  const files = () => scene.exec('shop', 'app', 'ls /mnt/secrets-store').trim().split('\n').join(' ');
  assert.is(files(), 'old');

  edit(JSON.stringify(secretProviderClass([old, fresh])));
  await scene.until('the new file', () => files() === 'new old', 60);
  assert.is(scene.exec('shop', 'app', 'cat /mnt/secrets-store/new'), 'value of new');

  edit(JSON.stringify(secretProviderClass([{ ...fresh, objectType: 'secretmanager' }])));
  const rejected = async () => (await scene.log('shop', 'podsecrets')).includes('secretmanager');
  await scene.until('a line about the invalid config', rejected, 60);
  assert.is(files(), 'new old');
  assert.is(container(await scene.pod('shop'), 'podsecrets')?.ready, true);

  edit(JSON.stringify(secretProviderClass([fresh])));
  await scene.until('the removal of the old file', () => files() === 'new', 60);
  assert.is(container(await scene.pod('shop'), 'podsecrets')?.restartCount, 0);
});

test.run();
