/** Which part of the volume each container mounts; injecting again, also into an older result, keeps every mount correct. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { containersIn, type Injection, injected, objectsIn, secretProviderClass } from '../support/inject.ts';
import { mountFaultsIn } from '../support/mount-faults.ts';

const csi = (name: string, spc = 'app') =>
  `{name: ${name}, csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: {secretProviderClass: ${spc}}}}`;
const pod = (spec: string) => `apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {${spec}}\n`;
const own = 'volumes: [{name: podsecrets, emptyDir: {medium: Memory}}]';
const mount = (name: string, path: string, more = '') =>
  `volumeMounts: [{name: ${name}, mountPath: ${path}${more}}]`;

/** Path and subPath of the mounts of each container of the application. */
async function mountsOf(injection: Omit<Injection, 'config'>) {
  const { objects } = await injected({ config: secretProviderClass, ...injection });
  return mountsIn(objects);
}

function mountsIn(objects: readonly unknown[]) {
  return [...containersIn(objects, 'initContainers'), ...containersIn(objects, 'containers')]
    .filter(({ name }) => !name.startsWith('podsecrets'))
    .map(({ volumeMounts = [] }) => volumeMounts.map((one) => `${one.mountPath} ${one.subPath}`).join());
}

for (const flags of ['', '--as init', '--as init+sidecar']) {
  test(`podsecrets comes before other init containers, also after it did not: "${flags}"`, async () => {
    const text = pod('initContainers: [{name: wait, image: x}], containers: [{name: app, image: x}]');
    const { objects } = await injected({ text, config: secretProviderClass, flags });
    const names = (found: readonly unknown[]) =>
      containersIn(found, 'initContainers').map(({ name }) => name);
    const wanted = [flags === '' ? 'podsecrets' : 'podsecrets-init', 'wait'];
    assert.equal(names(objects), wanted);
    // A user, or a webhook, has inserted another one before it.
    const moved = objects.map((object) =>
      JSON.parse(JSON.stringify(object), (key, value: unknown) =>
        key === 'initContainers' && Array.isArray(value) ? value.toReversed() : value,
      ),
    );
    assert.equal(names(moved), wanted.toReversed());
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: moved });
    assert.equal((await injected({ text: list, config: secretProviderClass, flags })).objects, objects);
  });
}

test('converts an older result with mounts of the whole volume, and keeps its directory', async () => {
  const text = pod('containers: [{name: app, image: x}, {name: log, image: x}]');
  const today = await injected({ text, config: secretProviderClass, dir: '/secrets' });
  const older = today.text
    .replace('=/mnt/podsecrets/files', '=/secrets')
    .replace(/mountPath: \/mnt\/podsecrets\n/, 'mountPath: /secrets\n')
    .replaceAll(/ *subPath: files\n/g, '');
  assert.not.equal(mountFaultsIn(objectsIn(older)), []);
  const again = await injected({ text: older, config: secretProviderClass });
  assert.equal(again.objects, today.objects);
});

test('a converted volume of an older result gets its subPath too', async () => {
  const text = pod(`containers: [{name: app, image: x, ${mount('v', '/v')}}], volumes: [${csi('v')}]`);
  const today = await injected({ text, config: secretProviderClass });
  const older = JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: JSON.parse(
      JSON.stringify(today.objects)
        .replace('=/mnt/podsecrets/files', '=/v')
        .replace('"/mnt/podsecrets"', '"/v"'),
      (key, value: unknown) => (key === 'subPath' ? undefined : value),
    ),
  });
  assert.equal((await injected({ text: older, config: secretProviderClass })).objects, today.objects);
});

test('two volumes of the CSI driver may have the same path in different containers', async () => {
  const other = secretProviderClass.replace('name: app', 'name: other');
  const text = `${secretProviderClass}---\n${other}---\n${pod(
    `containers: [{name: a, image: x, ${mount('one', '/s')}}, {name: b, image: x, ${mount('two', '/s')}}], volumes: [${csi('one')}, ${csi('two', 'other')}]`,
  )}`;
  const { objects } = await injected({ text });
  assert.equal(mountsIn(objects), ['/s files', '/s files']);
  assert.equal(
    containersIn(objects, 'initContainers')[0]?.volumeMounts?.map(({ mountPath }) => mountPath),
    ['/mnt/podsecrets/one', '/etc/podsecrets', '/mnt/podsecrets/two', '/etc/podsecrets-2'],
  );
});

test('with --as init the subPath of a file refers to the directory of the files, also after another injection', async () => {
  const withSubPath = (volume: string, more: string) =>
    pod(
      `containers: [{name: app, image: x, ${mount(volume, '/etc/key', more)}}], ${volume === 'v' ? `volumes: [${csi('v')}]` : own}`,
    );
  const flags = '--as init';
  for (const volume of ['v', 'podsecrets'])
    assert.equal(await mountsOf({ text: withSubPath(volume, ', subPath: key'), flags }), [
      '/etc/key files/key',
    ]);
  assert.equal(await mountsOf({ text: withSubPath('v', ', subPath: files'), flags }), [
    '/etc/key files/files',
  ]);
  const { text } = await injected({
    text: withSubPath('v', ', subPathExpr: $(NAME)'),
    config: secretProviderClass,
    flags,
  });
  assert.match(text, 'subPathExpr: files/$(NAME)');
});

test('a mount of the manifest keeps its path, or moves to an explicit directory', async () => {
  const text = pod(
    `containers: [{name: app, image: x, ${mount('podsecrets', '/here')}}, {name: log, image: x}], ${own}`,
  );
  assert.equal(await mountsOf({ text }), ['/here files', '/here files']);
  assert.equal(await mountsOf({ text, flags: '--dir /there' }), ['/there files', '/there files']);
  assert.equal(await mountsOf({ text, flags: '--containers log' }), [
    '/here files',
    '/mnt/secrets-store files',
  ]);
});

test.run();
