/** Every pod spec that podsecrets writes or documents: its application can open the files on a node with fs.protected_symlinks=1. */

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { image } from '../../src/core/version.ts';
import { sectionText } from '../docs/pages.ts';
import { goldens } from '../helm/golden.ts';
import { render, renderShop } from '../support/helm.ts';
import { injectWith, objectsIn, secretProviderClass, valuesIn } from '../support/inject.ts';
import { mountFaults, mountFaultsIn, type PodView } from '../support/mount-faults.ts';
import { mayFollow } from '../support/protected-symlinks.ts';

const examples = join(import.meta.dirname, '../../examples');
const read = (file: string) => readFileSync(join(examples, file), 'utf8');

for (const file of globSync('*/injected.yaml', { cwd: examples }).sort()) {
  test(`examples/${file}: the application can open its files`, () => {
    holds(objectsIn(read(file)));
  });
}

for (const file of globSync('*/{deployment,job,pod}.yaml', { cwd: examples }).sort()) {
  for (const way of ['', '--as init', '--as init+sidecar --owner 7:7']) {
    if (file.startsWith('init-only') && way.includes('+')) continue;
    // Its containers read the Secret.
    const flags = file.startsWith('envfrom-secret') ? `${way} --sync-secrets` : way;
    test(`examples/${file} injected with "${flags}": the application can open its files`, async () => {
      const text = read(join(file, '..', 'secret-provider-class.yaml'));
      const configs = [{ file: 'config.yaml', text, dir: undefined }];
      holds((await injectWith({ file, text: read(file), configs }, flags)).objects);
    });
  }
}

for (const [name, write] of goldens) {
  if (name.startsWith('cluster-')) continue;
  test(`the rendering ${name}: the application can open its files`, () => holds(objectsIn(write())));
}

test('the chart as an init container: the application can open its files', () => {
  holds(objectsIn(renderShop('1.36', ['as=init', 'dir=/secrets'])));
});

test('the pod spec of the front page: the application can open its files', () => {
  const text = sectionText('pod-spec').replace(/^```.*$/gm, '');
  const pod = parse(text) as PodView;
  assert.equal(mountFaults(pod), []);
  assert.ok(pod.initContainers?.length === 1);
});

for (const release of ['1.34', '1.36']) {
  test(`a pod that the policy of ${release} changes: the application can open its files`, () => {
    const pod = policyPod(render(release));
    assert.equal(mountFaults(pod), []);
    assert.equal(pod.containers[0]?.volumeMounts, [
      { name: 'podsecrets', mountPath: '/secrets', subPath: 'files', readOnly: true },
    ]);
  });
}

test('a volume of the CSI driver, and two of them: the application can open its files', async () => {
  const csi = (name: string) =>
    `{name: ${name}, csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: {secretProviderClass: ${name}}}}`;
  const mount = (name: string) => `{name: ${name}, mountPath: /${name}}`;
  const pod = (...names: readonly string[]) =>
    `kind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: app, image: x, volumeMounts: [${names.map(mount).join()}]}], volumes: [${names.map(csi).join()}]}\n`;
  const classes = ['one', 'two'].map((name) => secretProviderClass.replace('name: app', `name: ${name}`));
  for (const names of [['one'], ['one', 'two']]) {
    const text = [...classes, pod(...names)].join('---\n');
    holds((await injectWith({ file: 'pod.yaml', text, configs: [] }, '')).objects);
  }
});

for (const file of ['doctor/pod-identity.json', 'doctor/irsa.json']) {
  test(`examples/${file}: mounts the whole volume where podsecrets does, because ephemeral containers have no subPath`, () => {
    const recipe = JSON.parse(read(file)) as {
      readonly env: readonly { readonly name: string; readonly value: string }[];
      readonly volumeMounts: readonly {
        readonly name: string;
        readonly mountPath: string;
        readonly subPath?: string;
      }[];
    };
    const [sidecar] = valuesIn<PodView['initContainers']>(
      objectsIn(read('pod-identity/injected.yaml')),
      'initContainers',
    ).flat();
    assert.equal(
      recipe.volumeMounts.filter(({ name }) => name.startsWith('podsecrets')),
      sidecar?.volumeMounts?.toReversed(),
    );
    assert.ok(recipe.volumeMounts.every(({ subPath }) => subPath === undefined));
    // The webhooks of EKS do not change an ephemeral container: the token and its variable come from the recipe.
    const token = recipe.env.find(({ name }) => name.endsWith('_TOKEN_FILE'))?.value ?? '';
    assert.ok(recipe.volumeMounts.some(({ mountPath }) => token.startsWith(`${mountPath}/`)));
    assert.equal(
      recipe.env.map(({ name }) => name),
      file.includes('irsa')
        ? ['AWS_REGION', 'AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE']
        : ['AWS_REGION', 'AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'],
    );
  });
}

test('docker-compose: podsecrets owns its tmpfs, which is not sticky, so that every user may follow its links', () => {
  const { volumes } = parse(read('docker-compose/docker-compose.yaml')) as {
    readonly volumes: { readonly secrets: { readonly driver_opts: { readonly o: string } } };
  };
  const options = new Map(
    volumes.secrets.driver_opts.o.split(',').map((option) => option.split('=') as [string, string]),
  );
  const directory = {
    uid: Number(options.get('uid')),
    mode: Number.parseInt(options.get('mode') ?? '', 8),
  };
  // The user of the image.
  const dockerfile = readFileSync(join(examples, '..', 'Dockerfile'), 'utf8');
  const uid = Number(/^USER (\d+):/m.exec(dockerfile)?.[1]);
  assert.ok(mayFollow({ reader: 0, link: { uid }, directory }));
  assert.is(directory.uid, uid);
});

const podsecrets = {
  name: 'podsecrets',
  image,
  args: ['sidecar', '--config=/etc/podsecrets/config.yaml=/mnt/podsecrets/files'],
  securityContext: { runAsUser: 65532 },
  volumeMounts: [{ name: 'podsecrets', mountPath: '/mnt/podsecrets' }],
};
const app = (name: string, subPath?: string) => ({
  name,
  image: 'x',
  args: [],
  securityContext: {},
  volumeMounts: [{ name: 'podsecrets', mountPath: '/s', ...(subPath && { subPath }), readOnly: true }],
});
const volumes = [{ name: 'podsecrets', emptyDir: { medium: 'Memory' } }];

const faulty: readonly (readonly [string, PodView, readonly string[]])[] = [
  [
    'mounts the whole volume',
    { initContainers: [podsecrets], containers: [app('app')], volumes },
    ['app mounts "" of podsecrets, the files are in "files"', 'app may not follow links in ""'],
  ],
  [
    'publishes into the volume itself',
    {
      initContainers: [
        { ...podsecrets, args: ['init', '--config=/etc/podsecrets/config.yaml=/mnt/podsecrets'] },
      ],
      containers: [app('app')],
      volumes,
    },
    ['podsecrets publishes "" of the volume podsecrets', 'app may not follow links in ""'],
  ],
  [
    'starts a container with a mount before podsecrets',
    { initContainers: [app('wait', 'files'), podsecrets], containers: [app('app', 'files')], volumes },
    ['podsecrets is not the first init container', 'app may not follow links in "files"'],
  ],
  [
    'mounts one file with a sidecar',
    { initContainers: [podsecrets], containers: [app('app', 'files/db')], volumes },
    [
      'app mounts "files/db" of podsecrets, the files are in "files"',
      'app may not follow links in "files/db"',
    ],
  ],
];

for (const [what, pod, faults] of faulty) {
  test(`reports a pod that ${what}`, () => assert.equal(mountFaults(pod), faults));
}

/** Fails unless the objects follow the rules, and contain a pod with podsecrets. */
function holds(objects: readonly unknown[]): void {
  assert.ok(
    valuesIn<readonly { readonly name: string }[]>(objects, 'initContainers')[0]?.[0]?.name.startsWith(
      'podsecrets',
    ),
  );
  assert.equal(mountFaultsIn(objects), []);
}

/**
 * The pod of one container that the policy would create, in /secrets. Object literals of CEL are those of JavaScript except for
 * the type before each.
 */
function policyPod(text: string): PodView {
  const [expression = ''] = valuesIn<{ readonly expression: string }>(objectsIn(text), 'jsonPatch').map(
    (patch) => patch.expression,
  );
  const variables = { dir: '/secrets', uid: 65532, gid: 65532, configMap: 'app' };
  const valueAt = (path: string) => {
    const from = expression.indexOf(`path: ${path},`);
    assert.ok(from > 0, path);
    const literal = balanced(expression, expression.indexOf('{', expression.indexOf('value: Object', from)));
    const code = literal.replaceAll(/\b(Object[\w.]*|JSONPatch)(?=\{)/g, '');
    return JSON.parse(runInNewContext(`JSON.stringify(${code})`, { variables })) as never;
  };
  return {
    initContainers: [valueAt('"/spec/initContainers/0"')],
    containers: [{ ...app('app'), volumeMounts: [valueAt('path + "/-"')] }],
    volumes: [valueAt('"/spec/volumes/-"')],
  };
}

/** The text from a brace to the one that closes it. */
function balanced(text: string, from: number): string {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '{') depth++;
    if (text[at] === '}' && --depth === 0) return text.slice(from, at + 1);
  }
  throw new Error('expected a closing brace, got none');
}

test.run();
