/** `helm template … | podsecrets inject` and the like, as a shell runs them. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { exitCodes } from '../../src/core/problem.ts';
import { readExample } from '../examples/readme.ts';
import { isAllowed } from '../support/allowed.ts';
import { helmBinary } from '../support/helm.ts';
import { containersIn, objectsIn, secretProviderClass, valuesIn } from '../support/inject.ts';
import { manifestFaults, releases } from '../support/kubernetes-schemas.ts';
import { binary, type Ended, run } from '../support/program.ts';

const test = suite<{ directory: string }>('helm-pipe', { directory: '' });
test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'helm-pipe-'));
  mkdirSync(join(context.directory, 'templates'));
  const files = {
    'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
    'values.yaml': 'image: nginx\n',
    'templates/class.yaml': secretProviderClass,
    'templates/deployment.yaml': deployment,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(context.directory, name), text);
});
test.after.each(({ directory }) => rmSync(directory, { recursive: true }));

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
      - name: app
        image: {{ .Values.image | required "image is missing" }}
        volumeMounts: [{name: secrets, mountPath: /mnt/secrets, readOnly: true}]
      volumes:
      - name: secrets
        csi: {driver: secrets-store.csi.k8s.io, readOnly: true, volumeAttributes: {secretProviderClass: app}}
`;

function piped(directory: string, ...settings: readonly string[]): Promise<Ended> {
  const script = '"$HELM" template shop "$HOME" "$@" | "$PODSECRETS" inject';
  const env = { HELM: helmBinary, PODSECRETS: binary, HOME: directory };
  return run(settings, env, ['/bin/sh', '-c', script, 'sh']);
}

test('a rendered chart becomes manifests without the CSI driver, valid in every release', async ({
  directory,
}) => {
  const { code, stdout, stderr } = await piped(directory);
  assert.equal([code, stderr], [0, '']);
  for (const release of releases) assert.equal(manifestFaults(stdout, release), []);
  const objects = objectsIn(stdout);
  assert.equal(valuesIn(objects, 'csi'), []);
  // Helm prints a class after the workloads.
  assert.equal(valuesIn<string>(objects, 'kind'), ['ConfigMap', 'Deployment']);
  assert.is(containersIn(objects, 'initContainers')[0]?.name, 'podsecrets');
  assert.is(containersIn(objects, 'containers')[0]?.volumeMounts?.[0]?.mountPath, '/mnt/secrets');
});

test('works as a post-renderer of helm', async ({ directory }) => {
  // Helm sorts what it renders, and gives classes last.
  const renderer = join(directory, 'post-renderer');
  writeFileSync(renderer, '#!/bin/sh\nexec "$PODSECRETS" inject\n', { mode: 0o755 });
  const env = { PODSECRETS: binary, HOME: directory };
  const words = ['template', 'shop', directory, '--post-renderer', renderer];
  const { code, stdout, stderr } = await run(words, env, [helmBinary]);
  assert.equal([code, stderr], [0, '']);
  const objects = objectsIn(stdout);
  assert.equal([...valuesIn<string>(objects, 'kind')], ['ConfigMap', 'Deployment']);
  assert.equal(valuesIn(objects, 'csi'), []);
});

test('a Kustomize base with its patch goes through the pipe', async ({ directory }) => {
  if (!isAllowed('kubectl kustomize', ['kubectl', 'kustomize', '--help'])) return;
  const { stdout: rendered } = await run(['template', 'shop', directory], { HOME: directory }, [helmBinary]);
  const files = {
    'all.yaml': rendered,
    'kustomization.yaml': 'resources: [all.yaml]\npatches: [{path: patch.yaml}]\n',
    'patch.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec: {replicas: 3}\n',
  };
  mkdirSync(join(directory, 'kustomize'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, 'kustomize', name), text);
  const script = 'kubectl kustomize "$HOME/kustomize" | "$PODSECRETS" inject';
  const env = { PODSECRETS: binary, HOME: directory };
  const { code, stdout, stderr } = await run([], env, ['/bin/sh', '-c', script]);
  assert.equal([code, stderr], [0, '']);
  const objects = objectsIn(stdout);
  assert.equal(valuesIn(objects, 'csi'), []);
  assert.equal(valuesIn(objects, 'replicas'), [3]);
  assert.is(containersIn(objects, 'initContainers')[0]?.name, 'podsecrets');
});

/** Writes a folder for `kubectl kustomize`, and returns its name. */
function kustomization(directory: string, name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(directory, name);
  mkdirSync(folder);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  return folder;
}

test('after Kustomize with a namePrefix, a volume that still has the old name is an error that says why', async ({
  directory,
}) => {
  if (!isAllowed('kubectl kustomize', ['kubectl', 'kustomize', '--help'])) return;
  const { stdout: rendered } = await run(['template', 'shop', directory], { HOME: directory }, [helmBinary]);
  const script = 'kubectl kustomize "$1" | "$PODSECRETS" inject';
  const pipe = (folder: string) =>
    run([], { PODSECRETS: binary, HOME: directory }, ['/bin/sh', '-c', script, 'sh', folder]);
  const prefix = 'resources: [all.yaml]\nnamePrefix: dev-\n';
  const without = await pipe(
    kustomization(directory, 'without', { 'all.yaml': rendered, 'kustomization.yaml': prefix }),
  );
  assert.is(without.code, exitCodes.kubernetes);
  assert.match(
    without.stderr,
    /If Kustomize renamed the class \(namePrefix, nameSuffix\), add the nameReference/,
  );
  const [, rule = ''] = /```yaml\n(nameReference:[\s\S]*?)```/.exec(readExample('inject', 'README.md')) ?? [];
  const { code, stdout, stderr } = await pipe(
    kustomization(directory, 'with', {
      'all.yaml': rendered,
      'class-names.yaml': rule,
      'kustomization.yaml': `${prefix}configurations: [class-names.yaml]\n`,
    }),
  );
  assert.equal([code, stderr], [0, '']);
  const configs = valuesIn<{ readonly name: string }>(objectsIn(stdout), 'configMap');
  assert.equal(configs, [{ name: 'podsecrets-dev-app' }]);
});

test('Kustomize renames what inject generates together with its references', async ({ directory }) => {
  if (!isAllowed('kubectl kustomize', ['kubectl', 'kustomize', '--help'])) return;
  writeFileSync(
    join(directory, 'templates', 'deployment.yaml'),
    deployment.replace('{name: {{ .Release.Name }}}', '{name: {{ .Release.Name }}, namespace: shop}'),
  );
  writeFileSync(
    join(directory, 'templates', 'class.yaml'),
    secretProviderClass.replace(
      '  parameters:',
      '  secretObjects:\n  - {secretName: synced, type: Opaque, data: [{objectName: prod_db, key: db}]}\n  parameters:',
    ),
  );
  const sync = '"$HELM" template shop "$HOME" | "$PODSECRETS" inject --sync-secrets';
  const env = { HELM: helmBinary, PODSECRETS: binary, HOME: directory };
  const { stdout: base } = await run([], env, ['/bin/sh', '-c', sync]);
  const folder = kustomization(directory, 'base', {
    'all.yaml': base,
    'kustomization.yaml': 'resources: [all.yaml]\nnamePrefix: dev-\nnameSuffix: -v2\n',
  });
  const { code, stdout, stderr } = await run([folder], { HOME: directory }, ['kubectl', 'kustomize']);
  assert.equal([code, stderr], [0, '']);
  const objects = objectsIn(stdout) as readonly {
    readonly kind: string;
    readonly metadata: { readonly name: string };
    readonly roleRef?: { readonly name: string };
  }[];
  const nameOf = (kind: string) => objects.find((object) => object.kind === kind)?.metadata.name;
  const name = 'dev-podsecrets-app-v2';
  assert.equal([nameOf('ConfigMap'), nameOf('Role'), nameOf('RoleBinding')], [name, name, name]);
  assert.is(objects.find(({ kind }) => kind === 'RoleBinding')?.roleRef?.name, name);
  assert.equal(valuesIn(objects, 'configMap'), [{ name }]);
  // The name of the Secret is in the text of the config too, where Kustomize cannot change it.
  assert.equal(valuesIn(objects, 'resourceNames'), [['synced']]);
});

test('when helm fails, its error is shown, and nothing is printed for kubectl', async ({ directory }) => {
  const { code, stdout, stderr } = await piped(directory, '--set', 'image=');
  assert.is(code, exitCodes.kubernetes);
  assert.match(stderr, 'image is missing');
  assert.match(stderr, 'standard input: no Pod or workload found');
  assert.is(stdout, '');
});

test.run();
