/** Against a real API server: the policy makes of a pod exactly what inject would have made of it. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { render } from '../support/helm.ts';
import { injectWith, secretProviderClass } from '../support/inject.ts';
import { type Cluster, makeNamespace, startCluster } from './cluster.ts';

// Without a controller a namespace that was deleted never goes.
const NAMESPACE = `podsecrets-policy-${process.pid}`;
const test = suite<{ cluster: Cluster }>('policy');

test.before(async (context) => {
  context.cluster = await startCluster();
  makeNamespace(context.cluster, NAMESPACE);
  context.cluster.kubectl(['apply', '--server-side', '-f', '-'], renderFor(context.cluster));
  await inForce(context.cluster);
});
test.after(async ({ cluster }) => {
  cluster.kubectl(['delete', '--ignore-not-found', '-f', '-'], renderFor(cluster));
  cluster.kubectl(['delete', 'namespace', NAMESPACE, '--wait=false']);
  await cluster.stop();
});

const pods: readonly (readonly [string, string])[] = [
  ['one container', 'spec: {containers: [{name: app, image: nginx}]}'],
  [
    'volumes, mounts and init containers of its own',
    'spec: {initContainers: [{name: wait, image: b}], containers: [{name: app, image: nginx, volumeMounts: [{name: tmp, mountPath: /tmp}]}, {name: log, image: l}], volumes: [{name: tmp, emptyDir: {}}]}',
  ],
  [
    'a user for all',
    'spec: {securityContext: {runAsUser: 101, runAsGroup: 7}, containers: [{name: app, image: nginx}]}',
  ],
  [
    'a user for each, the same',
    'spec: {containers: [{name: a, image: x, securityContext: {runAsUser: 9}}, {name: b, image: x, securityContext: {runAsUser: 9}}]}',
  ],
  [
    'different users',
    'spec: {securityContext: {runAsUser: 5}, containers: [{name: a, image: x}, {name: b, image: x, securityContext: {runAsUser: 9}}]}',
  ],
  ['root', 'spec: {securityContext: {runAsUser: 0}, containers: [{name: a, image: x}]}'],
  [
    'no service account token',
    'spec: {automountServiceAccountToken: false, containers: [{name: a, image: x}]}',
  ],
];

for (const [what, spec] of pods) {
  for (const [dir, annotation] of [
    ['/mnt/secrets-store', ''],
    ['/secrets', ', podsecrets.io/dir: /secrets'],
  ] as const) {
    test(`a pod with ${what} becomes what inject makes of it, in ${dir}`, async ({ cluster }) => {
      const pod = manifest(spec, `podsecrets.io/inject: podsecrets-app${annotation}`);
      const configs = [{ file: 'config.yaml', text: secretProviderClass, dir }];
      const injected = await injectWith({ file: 'pod.yaml', text: pod, configs }, '');
      const byInject = admitted(cluster, JSON.stringify(injected.objects[0]));
      assert.equal(admitted(cluster, pod), byInject);
      assert.match(JSON.stringify(byInject), '"name":"podsecrets"');
    });
  }
}

test('a pod without the annotation stays as it is', ({ cluster }) => {
  const pod = manifest('spec: {containers: [{name: app, image: nginx}]}', 'other: annotation');
  assert.not.match(JSON.stringify(admitted(cluster, pod)), 'podsecrets');
});

test('a namespace can opt out', ({ cluster }) => {
  const pod = manifest('spec: {containers: [{name: app, image: nginx}]}', 'podsecrets.io/inject: app');
  cluster.kubectl(['label', 'namespace', NAMESPACE, 'podsecrets.io/inject=false']);
  try {
    assert.not.match(JSON.stringify(admitted(cluster, pod)), 'podsecrets');
  } finally {
    cluster.kubectl(['label', 'namespace', NAMESPACE, 'podsecrets.io/inject-']);
  }
});

function manifest(spec: string, annotations: string): string {
  return `apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: ${NAMESPACE}, annotations: {${annotations}}}\n${spec}\n`;
}

/** The pod spec as the API server would store it, with what has random names or no order made equal. */
function admitted(cluster: Cluster, pod: string): unknown {
  const text = cluster.kubectl(
    ['create', '--dry-run=server', '--validate=strict', '-o', 'json', '-f', '-'],
    pod,
  );
  const { spec } = JSON.parse(text.replace(/kube-api-access-\w+/g, 'kube-api-access')) as {
    readonly spec: object;
  };
  return JSON.parse(
    JSON.stringify(spec, (key, value: unknown) =>
      (key === 'volumes' || key === 'volumeMounts') && Array.isArray(value)
        ? value.toSorted((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1))
        : value,
    ),
  );
}

/** The chart as this cluster would get it. */
function renderFor(cluster: Cluster): string {
  const { major, minor } = JSON.parse(cluster.kubectl(['get', '--raw', '/version'])) as {
    readonly major: string;
    readonly minor: string;
  };
  // Some vendors write 36+.
  const text = render(`${major}.${Number.parseInt(minor, 10)}`);
  if (!text.includes('MutatingAdmissionPolicy'))
    throw new Error('expected Kubernetes 1.34 or later, got an older one');
  return text;
}

/** The API server takes a moment until a new policy is in force. */
async function inForce(cluster: Cluster): Promise<void> {
  const pod = manifest('spec: {containers: [{name: app, image: nginx}]}', 'podsecrets.io/inject: app');
  for (let attempt = 0; attempt < 60; attempt++) {
    if (JSON.stringify(admitted(cluster, pod)).includes('podsecrets-config')) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error('the policy is not in force after 30 s');
}

test.run();
