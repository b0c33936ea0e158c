/** `inject --env`: the kubelet reads the application's variables from the volume, at each start of its container. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { appContainer, secretFile, secretProviderClass, shopPod } from './manifests.ts';
import { container, openScene, type Scene } from './scene.ts';

const test = suite<{ scene: Scene }>('variables with fileKeyRef');

test.before.each(async (context) => {
  context.scene = await openScene();
});
test.after.each(({ scene }) => scene.close());

/** Characters that a shell, YAML or an env file could change. */
const FIRST = 'p$HOME "q" \\n #1 = é  ';
const SECOND = 'second';

for (const form of ['sidecar', 'init'] as const) {
  test(`${form}: the variables have the values of the secret, and an optional one without a secret is not set`, async ({
    scene,
  }) => {
    await scene.apply(podWith(scene, await scene.putSecret('db', FIRST), [`--as=${form}`]));
    await scene.ready('shop');
    assert.is(variable(scene, 'PASSWORD'), FIRST);
    assert.is(variable(scene, 'EXTRA'), undefined);
  });
}

test('after a rotation the variables stay until the container is started again, which then has the new value', async ({
  scene,
}) => {
  await scene.apply(podWith(scene, await scene.putSecret('db', FIRST), ['--interval=1s']));
  await scene.ready('shop');
  await scene.putSecret('db', SECOND);
  const rotated = () => scene.exec('shop', 'app', 'cat /mnt/secrets-store/password') === SECOND;
  await scene.until('the rotated file', rotated, 60);
  assert.is(variable(scene, 'PASSWORD'), FIRST);

  scene.exec('shop', 'app', 'kill -TERM 1');
  const restarted = async () => {
    const status = container(await scene.pod('shop'), 'app');
    return status?.restartCount === 1 && status.ready;
  };
  await scene.until('the container started again', restarted, 60);
  assert.is(variable(scene, 'PASSWORD'), SECOND);
});

function podWith(scene: Scene, name: string, flags: readonly string[]) {
  const objects = [
    { ...secretFile(name, 'password'), env: 'PASSWORD' },
    { ...secretFile(`${scene.namespace}/none`, 'extra'), env: 'EXTRA', optional: true },
  ];
  const parameters = { envFile: 'app.env', objects: JSON.stringify(objects) };
  const app = appContainer({ command: ['sh', '-c', 'trap "exit 0" TERM; sleep 3600 & wait'] });
  return scene.inject(shopPod(app), secretProviderClass([], { parameters }), ['--env', ...flags]);
}

/** Of the first process, as the kubelet has set it; undefined when it is not set. */
function variable(scene: Scene, name: string): string | undefined {
  const all = scene.exec('shop', 'app', 'cat /proc/1/environ').split('\0');
  return all.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
}

test.run();
