/** Environment variables by fileKeyRef: the kubelet reads the file of variables when it starts a container. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { appContainer, shopPod } from './manifests.ts';
import { openScene, type Scene } from './scene.ts';

const test = suite<{ scene: Scene }>('env');
/** Prints its variable, and ends once there is a file that the next container does not have. */
const printer = `echo "DB is $DB"
until [ -e /tmp/end ]; do sleep 1; done
exit 1`;

test.before(async (context) => {
  context.scene = await openScene();
});
test.after(({ scene }) => scene.close());

test('a container has the secret in its environment, and after a rotation and a restart the new one', async ({
  scene,
}) => {
  const objectName = await scene.putSecret('db', `it is "$first" \\n # 1`);
  const objects = JSON.stringify([
    { objectName, objectType: 'secretsmanager', objectAlias: 'db', env: 'DB' },
  ]);
  const config = {
    apiVersion: 'secrets-store.csi.x-k8s.io/v1',
    kind: 'SecretProviderClass',
    metadata: { name: 'app' },
    spec: { provider: 'aws', parameters: { objects, envFile: 'app.env' } },
  };
  const pod = shopPod(appContainer({ command: ['sh', '-c', printer] }));
  await scene.apply(scene.inject(pod, config, ['--env', '--interval=1s']));
  await scene.ready('shop');
  const says = (text: string) =>
    scene.until(text, async () => (await scene.log('shop', 'app')).includes(`DB is ${text}\n`), 60);
  await says(`it is "$first" \\n # 1`);

  await scene.putSecret('db', 'second');
  const file = () => scene.exec('shop', 'app', 'cat /mnt/secrets-store/app.env');
  await scene.until('the new file', () => file() === "DB='second'\n", 60);
  assert.match(scene.exec('shop', 'app', 'tr "\\0" "\\n" < /proc/1/environ'), 'DB=it is "$first"');
  scene.exec('shop', 'app', 'touch /tmp/end');
  await says('second');
});

test.run();
