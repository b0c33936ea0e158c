/** Several configs, classes of one name in several namespaces, and which pod gets which. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { problemLine, problemsOf } from '../../src/core/problem.ts';
import { containersIn, injectWith, secretProviderClass } from '../support/inject.ts';

const pod = (namespace: string, volume: string) => `apiVersion: v1
kind: Pod
metadata: {name: web, namespace: ${namespace}}
spec:
  containers:
  - name: app
    image: x
    volumeMounts: [{name: v, mountPath: /v}]
  volumes:
  - name: v
    ${volume}
`;
const csi = 'csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: {secretProviderClass: app}}';
const plain = pod('shop', 'emptyDir: {}');

function classIn(namespace: string): string {
  return secretProviderClass
    .replace('  name: app\n', `  name: app\n  namespace: ${namespace}\n`)
    .replace('prod/db', `${namespace}/db`);
}

async function problems(text: string, ...configs: readonly (readonly [string, string | undefined])[]) {
  const files = configs.map(([config, dir], index) => ({ file: `${index}.yaml`, text: config, dir }));
  try {
    await injectWith({ file: 'pods.yaml', text, configs: files }, '');
    return '';
  } catch (thrown) {
    const found = problemsOf(thrown);
    if (found === undefined) throw thrown;
    return found.map(problemLine).join('\n');
  }
}

test('classes of the same name are used in their own namespaces', async () => {
  const text = [classIn('dev'), classIn('prod'), pod('dev', csi), pod('prod', csi)].join('---\n');
  const input = { file: 'pods.yaml', text, configs: [] };
  const first = await injectWith(input, '');
  const maps = first.objects.slice(0, 2) as readonly {
    readonly kind: string;
    readonly metadata: { readonly namespace: string };
    readonly data: Readonly<Record<string, string>>;
  }[];
  assert.equal(
    maps.map(({ kind, metadata, data }) => [
      kind,
      metadata.namespace,
      /\w+\/db/.exec(data['config.yaml'] ?? '')?.[0],
    ]),
    [
      ['ConfigMap', 'dev', 'dev/db'],
      ['ConfigMap', 'prod', 'prod/db'],
    ],
  );
  assert.is((await injectWith({ ...input, text: first.text }, '')).text, first.text);
});

test('rejects a SecretProviderClass of another namespace, and names both', async () => {
  assert.match(
    await problems([classIn('dev'), pod('prod', csi)].join('---\n')),
    /Pod\/web volume v: SecretProviderClass "app" is in namespace "dev", and a pod can use only one of its own namespace/,
  );
});

test('a config file is used for its namespace', async () => {
  assert.is(await problems(pod('prod', csi), [classIn('dev'), undefined]), '');
});

test('rejects two configs with the same name, because their ConfigMaps would have it too', async () => {
  const nameless = secretProviderClass.replace('metadata:\n  name: app\n', '');
  for (const [one, other, name] of [
    [secretProviderClass, secretProviderClass.replace('prod', 'dev'), '"app"'],
    [nameless, nameless, '""'],
  ] as const) {
    assert.match(
      await problems(plain, [one, '/a'], [other, '/b']),
      `--config: 0.yaml and 1.yaml have the same name ${name}`,
    );
  }
});

test('rejects nested directories of two configs of a pod', async () => {
  const other = secretProviderClass.replace('name: app', 'name: other');
  for (const [one, two, message] of [
    [undefined, undefined, 'two mounts are at /mnt/secrets-store.'],
    ['/s', '/s/two', 'directories overlap: /s and /s/two.'],
    ['/s/one', '/s/', 'directories overlap: /s/ and /s/one.'],
  ]) {
    assert.match(
      await problems(plain, [secretProviderClass, one], [other, two]),
      `Pod/web container app: ${message}`,
    );
  }
  assert.is(await problems(plain, [secretProviderClass, '/s'], [other, '/s2']), '');
});

test('warns about a directory for a volume with a mount path', async () => {
  const configs = [{ file: 'config.yaml', text: secretProviderClass, dir: '/elsewhere' }];
  const { warnings } = await injectWith({ file: 'pods.yaml', text: pod('shop', csi), configs }, '');
  assert.equal(warnings.map(problemLine), [
    'Pod/web volume v: the directory "/elsewhere" is ignored: the volume is already mounted at /v. Leave =DIR out, or change the mount path in the pod spec. [kubernetes.content]',
  ]);
});

test("the name of a ConfigMap is valid for Kubernetes, whatever the config's name", async () => {
  const nameOf = async (name: string) => {
    const text = secretProviderClass.replace('name: app', `name: ${name}`);
    const configs = [{ file: 'config.yaml', text, dir: undefined }];
    const input = { file: 'pods.yaml', text: plain, configs };
    const injected = await injectWith(input, '');
    assert.is((await injectWith({ ...input, text: injected.text }, '')).text, injected.text);
    return (injected.objects[0] as { readonly metadata: { readonly name: string } }).metadata.name;
  };
  assert.is(await nameOf('My_App..x'), 'podsecrets-my-app.x');
  assert.is(await nameOf('a'.repeat(250)), `podsecrets-${'a'.repeat(242)}`);
  assert.is(await nameOf('"---"'), 'podsecrets-config');
});

test('a custom resource with a pod template is a workload', async () => {
  const rollout = `apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  template:
    spec:
      containers: [{name: app, image: x}]
`;
  const configs = [{ file: 'config.yaml', text: secretProviderClass, dir: undefined }];
  const { objects } = await injectWith({ file: 'pods.yaml', text: rollout, configs }, '');
  assert.equal(
    containersIn(objects, 'initContainers').map(({ name }) => name),
    ['podsecrets'],
  );
});

test('the Role is bound to the service account, also under its old name', async () => {
  const config = `${secretProviderClass}  secretObjects:
  - {secretName: db, type: Opaque, data: [{objectName: prod_db, key: db}]}
`;
  const text = plain.replace('spec:\n', 'spec:\n  serviceAccount: shop\n');
  const configs = [{ file: 'config.yaml', text: config, dir: undefined }];
  const { objects } = await injectWith({ file: 'pods.yaml', text, configs }, '--sync-secrets');
  const binding = objects.find((object) => (object as { readonly kind: string }).kind === 'RoleBinding');
  assert.match(JSON.stringify(binding), '"subjects":[{"kind":"ServiceAccount","name":"shop"');
});

test('drops Windows line ends from the ConfigMap, and keeps them in a file that has them', async () => {
  const lines = (text: string) => text.replaceAll('\n', '\r\n');
  const configs = [{ file: 'config.yaml', text: `\uFEFF${lines(secretProviderClass)}`, dir: undefined }];
  const { text, objects } = await injectWith({ file: 'pods.yaml', text: lines(plain), configs }, '');
  assert.is(text.replaceAll('\r\n', '').includes('\n'), false);
  assert.equal((objects[0] as { readonly data: unknown }).data, { 'config.yaml': secretProviderClass });
});

test.run();
