/** A pod whose service account has no Pod Identity association: EKS injects nothing. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ASSOCIATION, REGION } from './identity.ts';
import { secretFile, secretProviderClass, shopPod } from './manifests.ts';
import { container, openScene, type Scene } from './scene.ts';

const test = suite<{ scene: Scene }>('a pod without an identity');

test.before(async (context) => {
  context.scene = await openScene();
});
test.after(({ scene }) => scene.close());

test('fails with the reason, and starts after it gets an identity and is recreated', async ({ scene }) => {
  const { api, namespace } = scene;
  const account = `/api/v1/namespaces/${namespace}/serviceaccounts/default`;
  await api.call('PATCH', account, { metadata: { annotations: { [ASSOCIATION]: null } } });
  // Without an identity nothing injects the region either.
  const parameters = { region: REGION, objects: [secretFile(await scene.putSecret('db', 'x'), 'db')] };
  const config = secretProviderClass([], { parameters });
  // Some of its errors without an identity are transient, and retried.
  const objects = scene.inject(shopPod(), config, ['--start-timeout=3s']);
  await scene.apply(objects);
  const message = await scene.until(
    'a start that failed with 4',
    async () => {
      const pod = await scene.pod('shop');
      const { state, lastState } = container(pod, 'podsecrets') ?? {};
      const ended = state?.terminated ?? lastState?.terminated;
      if (ended === undefined) return false;
      assert.is(ended.exitCode, 4);
      assert.is(container(pod, 'app')?.state.running, undefined);
      return ended.message;
    },
    120,
  );
  assert.match(message, /Pod Identity/);
  assert.match(message, /\[credentials\.\w+\]\s*$/);

  await api.call('PATCH', account, { metadata: { annotations: { [ASSOCIATION]: 'app' } } });
  scene.kubectl(['delete', 'pod', 'shop', '--force']);
  await scene.apply(objects.filter(({ kind }) => kind === 'Pod'));
  await scene.ready('shop');
});

test.run();
