/** `helm template … | podsecrets inject` and the like, as a shell runs them. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { exitCodes } from '../../src/core/problem.ts';
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

test('when helm fails, its error is shown, and nothing is printed for kubectl', async ({ directory }) => {
  const { code, stdout, stderr } = await piped(directory, '--set', 'image=');
  assert.is(code, exitCodes.kubernetes);
  assert.match(stderr, 'image is missing');
  assert.match(stderr, 'standard input: no Pod or workload found');
  assert.is(stdout, '');
});

test.run();
