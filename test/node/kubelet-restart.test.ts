/** The kubelet restarts, as at each update of a node. Pods must not be affected, in any state of podsecrets. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { appContainer, secretFile, secretProviderClass, shopPod } from './manifests.ts';
import { container, openScene, restartKubelet, type Scene } from './scene.ts';

const test = suite<{ scene: Scene }>('a restart of the kubelet');
const FINALIZER = 'podsecrets.test/look';

test.before.each(async (context) => {
  context.scene = await openScene();
});
test.after.each(({ scene }) => scene.close());

async function createPod(scene: Scene): Promise<void> {
  const config = secretProviderClass([secretFile(await scene.putSecret('db', 'first'), 'db')]);
  const app = appContainer({ command: ['sh', '-c', 'trap "exit 0" TERM; sleep 3600 & wait'] });
  const pod = { ...shopPod(app), metadata: { name: 'shop', finalizers: [FINALIZER] } };
  await scene.apply(scene.inject(pod, config, ['--interval=1s']));
}

const release = (scene: Scene) =>
  scene.kubectl(['patch', 'pod', 'shop', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
const value = (scene: Scene) => scene.exec('shop', 'app', 'cat /mnt/secrets-store/db');
const restarts = async (scene: Scene) => {
  const pod = await scene.pod('shop');
  return ['podsecrets', 'app'].map((name) => container(pod, name)?.restartCount);
};

test('while podsecrets waits for its first sync: the pod starts when AWS responds', async ({ scene }) => {
  const id = `${scene.namespace}/db`;
  const number = await scene.aws.addFault({
    on: { service: 'secretsmanager', id },
    does: { kind: 'server-error' },
  });
  try {
    await createPod(scene);
    await scene.until(
      'a call to AWS',
      async () => (await scene.aws.count({ service: 'secretsmanager', id })) > 0,
      60,
    );
    await restartKubelet(scene);
  } finally {
    await scene.aws.removeFault({ number });
  }
  await scene.ready('shop');
  assert.is(value(scene), 'first');
  assert.equal(await restarts(scene), [0, 0]);
  release(scene);
});

test('while podsecrets is ready: rotations continue, and no container restarts', async ({ scene }) => {
  await createPod(scene);
  await scene.ready('shop');
  await restartKubelet(scene);
  await scene.putSecret('db', 'second');
  // Exec needs the new kubelet, which may not listen yet.
  const read = () => {
    try {
      return value(scene) === 'second';
    } catch {
      return false;
    }
  };
  await scene.until('the rotated value', read, 60);
  await scene.ready('shop');
  assert.equal(await restarts(scene), [0, 0]);
  release(scene);
});

test('while the pod ends: podsecrets ends with 0, after the application', async ({ scene }) => {
  await createPod(scene);
  await scene.ready('shop');
  scene.kubectl(['delete', 'pod', 'shop', '--wait=false']);
  await restartKubelet(scene);
  const pod = await scene.until(
    'the end of both containers',
    async () => {
      const found = await scene.pod('shop');
      return ['podsecrets', 'app'].every((name) => container(found, name)?.state.terminated) && found;
    },
    90,
  );
  release(scene);
  const [podsecrets, app] = ['podsecrets', 'app'].map((name) => container(pod, name)?.state.terminated);
  assert.equal([podsecrets?.exitCode, app?.exitCode], [0, 0]);
});

test.run();
