/** Against a real API server: every example, rendering and injection is accepted as it is (`--dry-run=server`, strictly). */

import { copyFileSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { goldenFile, goldens } from '../helm/golden.ts';
import { injectWith, objectsIn } from '../support/inject.ts';
import { type Cluster, freshName, makeNamespace, reportingHook, startCluster } from './cluster.ts';

const NAMESPACE = freshName();
const examples = join(import.meta.dirname, '../../examples');
const test = suite<{ cluster: Cluster }>('manifests');

test.before(
  reportingHook(async (context) => {
    context.cluster = await startCluster();
    await makeNamespace(context.cluster, NAMESPACE);
  }),
);
test.after(async ({ cluster }) => {
  cluster?.kubectl(['delete', 'namespace', NAMESPACE, '--wait=false', '--ignore-not-found']);
  await cluster?.stop();
});

for (const file of globSync('*/*.yaml', { cwd: examples }).sort()) {
  if (file.startsWith('docker-compose/')) continue;
  test(`examples/${file}`, ({ cluster }) => accepted(cluster, readFileSync(join(examples, file), 'utf8')));
}

for (const name of goldens.keys()) {
  test(`rendering ${name}`, ({ cluster }) => {
    const text = readFileSync(goldenFile(name), 'utf8');
    const api = /^apiVersion: (admissionregistration.k8s.io\/\w+)$/m.exec(text)?.[1];
    // Older clusters have only the beta of the policies, or none; newer ones serve the beta if it is enabled, as it is here.
    if (api !== undefined && !cluster.kubectl(['api-versions']).split('\n').includes(api)) {
      process.stdout.write(`${name}: this cluster does not serve ${api}\n`);
      return;
    }
    accepted(cluster, text);
  });
}

test('kubectl kustomize, piped into inject', async ({ cluster }) => {
  const directory = mkdtempSync(join(tmpdir(), 'kustomize-'));
  try {
    const folder = join(examples, 'migrate-from-csi');
    for (const file of ['deployment.yaml', 'secret-provider-class.yaml'])
      copyFileSync(join(folder, file), join(directory, file));
    const resources = 'resources: [deployment.yaml, secret-provider-class.yaml]\nnamePrefix: prod-\n';
    writeFileSync(join(directory, 'kustomization.yaml'), resources);
    const text = cluster.kubectl(['kustomize', directory]);
    const own = text.replace(/(secretProviderClass: )/, '$1prod-');
    const { objects } = await injectWith({ file: 'standard input', text: own, configs: [] }, '');
    assert.equal(
      objects.map((object) => (object as { readonly kind: string }).kind),
      ['Service', 'ConfigMap', 'Deployment'],
    );
    accepted(cluster, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  } finally {
    rmSync(directory, { recursive: true });
  }
});

const ways = [
  '',
  '--as init',
  '--as init+sidecar',
  '--sync-secrets --secret-owner workload -n x',
  '--owner 7:7 --listen [::]:9000',
];
for (const file of globSync('*/{deployment,job,pod}.yaml', { cwd: examples }).sort()) {
  for (const way of ways) {
    if (file.startsWith('init-only') && way.includes('+')) continue;
    // Its containers read the Secret.
    const secrets = file.startsWith('envfrom-secret') && !way.includes('--sync-secrets');
    const flags = secrets ? `${way} --sync-secrets` : way;
    test(`examples/${file} injected with "${flags}"`, async ({ cluster }) => {
      const config = readFileSync(join(examples, file, '..', 'secret-provider-class.yaml'), 'utf8');
      const text = readFileSync(join(examples, file), 'utf8');
      const configs = [{ file: 'config.yaml', text: config, dir: undefined }];
      accepted(cluster, (await injectWith({ file, text, configs }, flags)).text);
    });
  }
}

/** In the namespace of the test, and without SecretProviderClasses, whose resource a cluster without the CSI driver lacks. */
function accepted(cluster: Cluster, text: string): void {
  const objects = objectsIn(text).filter(
    (object) => object !== null && kindOf(object) !== 'SecretProviderClass',
  );
  if (objects.length === 0) return;
  const items = objects.map((object) => {
    const { metadata, ...rest } = object as { readonly metadata: object };
    return { ...rest, metadata: { ...metadata, namespace: NAMESPACE } };
  });
  // A pod is admitted only if its service account exists, even in a dry run.
  const accounts = items.filter((item) => kindOf(item) === 'ServiceAccount');
  for (const account of accounts) cluster.kubectl(['apply', '-f', '-'], JSON.stringify(account));
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items }).replaceAll(
    '"namespace":"x"',
    `"namespace":"${NAMESPACE}"`,
  );
  const printed = cluster.kubectl(['apply', '--dry-run=server', '--validate=strict', '-f', '-'], list);
  assert.is(printed.match(/\(server dry run\)/g)?.length, items.length, printed);
}

function kindOf(object: unknown): string {
  return (object as { readonly kind: string }).kind;
}

test.run();
