/** Kubernetes Secrets from a pod: with its Role, without it, and from ten pods at once. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { KubeObject } from './api.ts';
import { appContainer, secretFile, secretProviderClass, shopDeployment } from './manifests.ts';
import { container, isReady, openScene, type Scene } from './scene.ts';

const test = suite<{ scene: Scene }>('Kubernetes Secrets');

test.before.each(async (context) => {
  context.scene = await openScene();
});
test.after.each(({ scene }) => scene.close());

/** A config that keeps the Secret `shop-db` with the key `password`. */
async function configOf(scene: Scene): Promise<object> {
  const file = secretFile(await scene.putSecret('db', 'hunter2'), 'db');
  const data = [{ objectName: 'db', key: 'password' }];
  return secretProviderClass([file], { secretObjects: [{ secretName: 'shop-db', type: 'Opaque', data }] });
}

/** A workload whose application has the Secret in its environment. */
function deployment(replicas: number): object {
  const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'shop-db', key: 'password' } } }];
  const command = ['sh', '-c', 'echo "password: $PASSWORD"; exec sleep 3600'];
  return shopDeployment(appContainer({ command, env }), replicas);
}

interface Secret extends KubeObject {
  readonly data: Readonly<Record<string, string>>;
}

const secretOf = ({ api, namespace }: Scene) =>
  api.call<Secret>('GET', `/api/v1/namespaces/${namespace}/secrets/shop-db`);

test('is in the environment of the same pod, with the Role that inject writes', async ({ scene }) => {
  await scene.apply(scene.inject(deployment(1), await configOf(scene), ['--sync-secrets']));
  const [pod] = await scene.until(
    'a pod that is ready',
    async () => {
      const pods = await scene.pods('shop');
      return pods.length === 1 && pods.every(isReady) && pods;
    },
    90,
  );
  const name = pod?.metadata.name ?? '';
  await scene.until('the password', async () => (await scene.log(name, 'app')) === 'password: hunter2\n', 20);
  assert.is(container(pod, 'podsecrets')?.restartCount, 0);
});

test('without the Role each start names the missing permission, and the application never starts', async ({
  scene,
}) => {
  // The application does not use the Secret, so the kubelet would start it.
  const objects = scene.inject(shopDeployment(), await configOf(scene), ['--sync-secrets']);
  await scene.apply(objects.filter(({ kind }) => kind !== 'Role'));
  // The second start finds the files of the first one.
  const pod = await scene.until(
    'two starts that failed',
    async () => {
      const [found] = await scene.pods('shop');
      const { state, restartCount = 0 } = container(found, 'podsecrets') ?? {};
      assert.is(container(found, 'app')?.containerID || undefined, undefined);
      return restartCount >= 1 && state?.running === undefined && found;
    },
    90,
  );
  const { state, lastState } = container(pod, 'podsecrets') ?? {};
  const ended = state?.terminated ?? lastState?.terminated;
  assert.is(ended?.exitCode, 8);
  assert.match(ended?.message ?? '', /shop-db.*\[kubernetes\.denied\]/s);
  assert.is(await secretOf(scene), undefined);
});

/** A workload whose application reads the Secret from a volume. */
function withVolume(secret: object): object {
  const read = 'until [ -f /s/password ]; do sleep 1; done; cat /s/password; echo; exec sleep 3600';
  const mounts = [{ name: 'synced', mountPath: '/s' }];
  const app = appContainer({ command: ['sh', '-c', read], volumeMounts: mounts });
  const workload = shopDeployment(app);
  const volumes = [{ name: 'synced', secret: { secretName: 'shop-db', ...secret } }];
  const { template } = workload.spec;
  return {
    ...workload,
    spec: { ...workload.spec, template: { ...template, spec: { ...template.spec, volumes } } },
  };
}

test('the kubelet mounts a volume of the Secret before it starts podsecrets: the reason why inject rejects it', async ({
  scene,
}) => {
  const objects = scene.inject(withVolume({ optional: true }), await configOf(scene), ['--sync-secrets']);
  await scene.apply(JSON.parse(JSON.stringify(objects).replace('"optional":true', '"optional":false')));
  const { items } = await scene.until(
    'the event of a volume that cannot be mounted',
    async () => {
      const path = `/api/v1/namespaces/${scene.namespace}/events?fieldSelector=reason=FailedMount`;
      const events = await scene.api.call<{ readonly items: readonly { readonly message: string }[] }>(
        'GET',
        path,
      );
      return (events?.items.length ?? 0) > 0 && events;
    },
    60,
  );
  assert.match(items[0]?.message ?? '', 'secret "shop-db" not found');
  const [pod] = await scene.pods('shop');
  assert.is(container(pod, 'podsecrets')?.containerID || undefined, undefined);
});

test('an optional volume of the Secret is filled after podsecrets has created it', async ({ scene }) => {
  const flags = ['--sync-secrets'];
  await scene.apply(scene.inject(withVolume({ optional: true }), await configOf(scene), flags));
  await scene.until(
    'the password in the volume',
    async () => {
      const [pod] = await scene.pods('shop');
      return pod !== undefined && isReady(pod) && (await scene.log(pod.metadata.name, 'app')) === 'hunter2\n';
    },
    180,
  );
});

test('ten pods that start at once share one Secret, and none of them fails', async ({ scene }) => {
  await scene.apply(scene.inject(deployment(10), await configOf(scene), ['--sync-secrets']));
  const pods = await scene.until(
    'ten pods that are ready',
    async () => {
      const all = await scene.pods('shop');
      return all.length === 10 && all.every(isReady) && all;
    },
    300,
  );
  assert.equal(
    pods.map((pod) => container(pod, 'podsecrets')?.restartCount),
    pods.map(() => 0),
  );
  const secret = await secretOf(scene);
  assert.equal(secret?.data, { password: Buffer.from('hunter2').toString('base64') });
  const managers = secret?.metadata.managedFields as readonly { readonly manager: string }[];
  assert.equal([...new Set(managers.map(({ manager }) => manager))], ['podsecrets']);
});

test.run();
