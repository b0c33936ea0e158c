/** Against a real API server: the policy changes a pod exactly as inject does. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { config } from '../support/config.ts';
import { render } from '../support/helm.ts';
import { injectWith, objectsIn, secretProviderClass } from '../support/inject.ts';
import { mountFaults, type PodView } from '../support/mount-faults.ts';
import {
  type Cluster,
  freshName,
  makeNamespace,
  RUN,
  RUN_LABEL,
  reportingHook,
  startCluster,
  until,
} from './cluster.ts';

const NAMESPACE = freshName();
const test = suite<{ cluster: Cluster }>('policy');

test.before(
  reportingHook(async (context) => {
    context.cluster = await startCluster();
    await makeNamespace(context.cluster, NAMESPACE);
    // A chart that is already installed in this cluster does not apply here: the chart of the test uses another label.
    context.cluster.kubectl(['label', 'namespace', NAMESPACE, 'podsecrets.io/inject=false']);
    context.cluster.kubectl(['create', '-f', '-'], policyFor(context.cluster));
  }),
);
test.after(async ({ cluster }) => {
  cluster?.kubectl(['delete', '--ignore-not-found', '-f', '-'], policyFor(cluster));
  cluster?.kubectl(['delete', 'namespace', NAMESPACE, '--wait=false', '--ignore-not-found']);
  await cluster?.stop();
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
    test(`a pod with ${what} equals the output of inject, in ${dir}`, async ({ cluster }) => {
      const pod = manifest(spec, `podsecrets.io/inject: podsecrets-app${annotation}`);
      const configs = [{ file: 'config.yaml', text: secretProviderClass, dir }];
      const injected = await injectWith({ file: 'pod.yaml', text: pod, configs }, '');
      const changedSpec = await changed(cluster, pod);
      assert.equal(changedSpec, admitted(cluster, podIn(injected.objects)));
      assert.equal(mountFaults(changedSpec as PodView), []);
    });
  }
}

test('a container that mounts the volume already keeps its path, and gets the directory of the files', async ({
  cluster,
}) => {
  const own = '{name: podsecrets, mountPath: /here}';
  const tmp = '{name: tmp, mountPath: /tmp}';
  const pod = manifest(
    `spec: {initContainers: [{name: migrate, image: m, volumeMounts: [${tmp}, ${own}]}], containers: [{name: app, image: nginx, volumeMounts: [${own}]}], volumes: [{name: tmp, emptyDir: {}}]}`,
    annotation,
  );
  const configs = [{ file: 'config.yaml', text: secretProviderClass, dir: undefined }];
  const { objects } = await injectWith({ file: 'pod.yaml', text: pod, configs }, '');
  const spec = await changed(cluster, pod);
  assert.equal(spec, admitted(cluster, podIn(objects)));
  assert.equal(mountFaults(spec as PodView), []);
});

test('does not change a container that mounts a part of the volume', async ({ cluster }) => {
  const mounts =
    '[{name: podsecrets, mountPath: /a, subPath: files}, {name: podsecrets, mountPath: /b, subPathExpr: files}]';
  const pod = manifest(
    `spec: {containers: [{name: app, image: nginx, volumeMounts: ${mounts}}]}`,
    annotation,
  );
  const { containers } = (await changed(cluster, pod)) as PodView;
  assert.equal(
    containers[0]?.volumeMounts
      ?.filter(({ name }) => name === 'podsecrets')
      .map(({ subPath, subPathExpr }) => subPath ?? subPathExpr),
    ['files', 'files'],
  );
});

/** A config with the variables that the annotations below name. */
const withVariables = config(
  '- {objectName: a, objectType: secretsmanager, env: A}\n- {objectName: b, objectType: secretsmanager, env: B_2}',
  { envFile: 'app.env' },
);
const envAnnotations = 'podsecrets.io/env: "A, B_2", podsecrets.io/env-file: app.env';
const podsWithEnv: readonly (readonly [string, string])[] = [
  ['no variables', '{containers: [{name: app, image: nginx}, {name: log, image: l}]}'],
  [
    'variables and init containers of its own',
    '{initContainers: [{name: wait, image: b, env: [{name: X, value: "1"}]}], containers: [{name: app, image: nginx, env: [{name: OWN, value: "1"}]}, {name: log, image: l}]}',
  ],
  [
    'one of the variables already',
    '{containers: [{name: app, image: nginx, env: [{name: A, valueFrom: {fileKeyRef: {volumeName: podsecrets, path: files/app.env, key: A}}}]}]}',
  ],
];

for (const [what, spec] of podsWithEnv)
  test(`a pod with ${what} gets the variables of its annotations, like inject --env`, async ({ cluster }) => {
    const pod = manifest(`spec: ${spec}`, `podsecrets.io/inject: podsecrets-demo, ${envAnnotations}`);
    const configs = [{ file: 'config.yaml', text: withVariables, dir: undefined }];
    const injected = await injectWith({ file: 'pod.yaml', text: pod, configs }, '--env');
    assert.equal(await changed(cluster, pod), admitted(cluster, podIn(injected.objects)));
  });

const rejections: readonly (readonly [string, string, string, RegExp])[] = [
  [
    'a name that is none',
    'podsecrets.io/env: "A,1B", podsecrets.io/env-file: f',
    '',
    /expected names of variables.*got A,1B/,
  ],
  ['a name twice', 'podsecrets.io/env: "A,A", podsecrets.io/env-file: f', '', /expected names.*each once/],
  ['no file', 'podsecrets.io/env: A', '', /env-file: expected the envFile of the config.*got nothing/],
  [
    'a file outside',
    'podsecrets.io/env: A, podsecrets.io/env-file: ../x',
    '',
    /env-file: expected.*got \.\.\/x/,
  ],
  ['a file without names', 'podsecrets.io/env-file: f', '', /expected names of variables.*got nothing/],
  [
    'a variable of the same name',
    'podsecrets.io/env: "A,B", podsecrets.io/env-file: f',
    ', env: [{name: B, value: "1"}]',
    /expected no other value of these variables.*app B/,
  ],
];

for (const [what, annotations, env, message] of rejections)
  test(`rejects annotations of variables: ${what}`, ({ cluster }) => {
    const pod = manifest(
      `spec: {containers: [{name: app, image: nginx${env}}]}`,
      `podsecrets.io/inject: podsecrets-demo, ${annotations}`,
    );
    assert.throws(
      () => admitted(cluster, pod),
      (error: Error) => message.test(error.message),
    );
  });

test('rejects annotations of variables without podsecrets.io/inject', ({ cluster }) => {
  const pod = manifest('spec: {containers: [{name: app, image: nginx}]}', envAnnotations);
  assert.throws(() => admitted(cluster, pod), /podsecrets\.io\/env needs podsecrets\.io\/inject/);
});

test('does not change a pod without the annotation', ({ cluster }) => {
  const pod = manifest('spec: {containers: [{name: app, image: nginx}]}', 'other: annotation');
  assert.not.match(JSON.stringify(admitted(cluster, pod)), 'podsecrets');
});

test('changes a pod of a controller too', async ({ cluster }) => {
  const labels = { app: 'shop' };
  const annotations = { 'podsecrets.io/inject': 'podsecrets-app' };
  // No node may run it.
  const spec = {
    schedulingGates: [{ name: 'podsecrets.io/test' }],
    containers: [{ name: 'app', image: 'app' }],
  };
  await changed(cluster, manifest(`spec: ${JSON.stringify(spec)}`, annotation));
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'shop', namespace: NAMESPACE },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels, annotations }, spec } },
  };
  cluster.kubectl(['create', '-f', '-'], JSON.stringify(deployment));
  const pod = await until(
    'a pod of the Deployment',
    () =>
      cluster.kubectl([
        '-n',
        NAMESPACE,
        'get',
        'pods',
        '-l',
        'app=shop',
        '-o',
        'jsonpath={.items[*].spec}',
      ]) || undefined,
  );
  assert.equal(
    comparable(pod),
    await changed(cluster, manifest(`spec: ${JSON.stringify(spec)}`, annotation)),
  );
});

test('with options a pod equals the output of inject with the flags', async ({ cluster }) => {
  const settings = [
    'interval=5m',
    'startTimeout=1m30s',
    'listen=[::]:9000',
    'notifyExec=["/bin/reload"\\,"now"]',
    'syncSecrets=true',
    'secretOwner=pod',
  ].map((setting) => `options.${setting}`);
  const flags = `--interval 5m --start-timeout 1m30s --listen [::]:9000 --notify-exec ["/bin/reload","now"] --sync-secrets --secret-owner pod`;
  cluster.kubectl(['replace', '-f', '-'], policyFor(cluster, [...settings, 'resources.limits=null']));
  const pod = manifest('spec: {containers: [{name: app, image: nginx}]}', annotation);
  const byPolicy = await until('a pod that the new policy has changed', () => {
    const spec = JSON.stringify(admitted(cluster, pod));
    return spec.includes('--interval=5m') ? comparable(spec) : undefined;
  });
  const configs = [{ file: 'config.yaml', text: secretProviderClass, dir: undefined }];
  const { objects } = await injectWith({ file: 'pod.yaml', text: pod, configs }, flags);
  const byInject = admitted(cluster, podIn(objects).replace(',"limits":{"memory":"128Mi"}', ''));
  assert.equal(sortedArguments(byPolicy), sortedArguments(byInject));
});

test('with user.uid: none a pod gets a user only if its containers share one, as with --run-as-user none', async ({
  cluster,
}) => {
  const settings = ['user.uid=none', 'resources.limits.cpu=15m', 'resources.requests.memory=128Mi'];
  const flags = '--run-as-user none --cpu-limit 15m --memory-request 128Mi';
  cluster.kubectl(['replace', '-f', '-'], policyFor(cluster, settings));
  for (const context of ['', 'securityContext: {runAsUser: 101, runAsGroup: 7}, ']) {
    const pod = manifest(`spec: {${context}containers: [{name: app, image: nginx}]}`, annotation);
    const byPolicy = await until('a pod that the new policy has changed', () => {
      const spec = JSON.stringify(admitted(cluster, pod));
      return spec.includes('"cpu":"15m"') ? comparable(spec) : undefined;
    });
    const configs = [{ file: 'config.yaml', text: secretProviderClass, dir: undefined }];
    const { objects } = await injectWith({ file: 'pod.yaml', text: pod, configs }, flags);
    assert.equal(byPolicy, admitted(cluster, podIn(objects)));
  }
});

/** The chart sorts options by name, inject as the table does. */
function sortedArguments(spec: unknown): unknown {
  return JSON.parse(JSON.stringify(spec), (key, value: unknown) =>
    key === 'args' && Array.isArray(value) ? value.toSorted() : value,
  );
}

test('a namespace can opt out', async ({ cluster }) => {
  const pod = manifest('spec: {containers: [{name: app, image: nginx}]}', annotation);
  await changed(cluster, pod);
  cluster.kubectl(['label', 'namespace', NAMESPACE, `${OPT_OUT}=false`]);
  try {
    await until('a pod that stays as it is', () => (isChanged(admitted(cluster, pod)) ? undefined : true));
  } finally {
    cluster.kubectl(['label', 'namespace', NAMESPACE, `${OPT_OUT}-`]);
  }
});

const annotation = 'podsecrets.io/inject: podsecrets-app';

function manifest(spec: string, annotations: string): string {
  return `apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: ${NAMESPACE}, annotations: {${annotations}}}\n${spec}\n`;
}

/** The pod spec as the API server would store it, once the policy is in force, which takes a moment on each API server. */
function changed(cluster: Cluster, pod: string): Promise<unknown> {
  return until('a pod that the policy has changed', () => {
    const spec = admitted(cluster, pod);
    return isChanged(spec) ? spec : undefined;
  });
}

function isChanged(spec: unknown): boolean {
  return JSON.stringify(spec).includes('"name":"podsecrets"');
}

function admitted(cluster: Cluster, pod: string): unknown {
  const text = cluster.kubectl(
    ['create', '--dry-run=server', '--validate=strict', '-o', 'json', '-f', '-'],
    pod,
  );
  return comparable(JSON.stringify((JSON.parse(text) as { readonly spec: object }).spec));
}

/** The pod in the output of inject, as JSON: the objects that it needs come before it. */
function podIn(objects: readonly unknown[]): string {
  return JSON.stringify(objects.find((object) => (object as { readonly kind?: string }).kind === 'Pod'));
}

/** A pod spec without random names, and with unordered lists sorted. */
function comparable(spec: string): unknown {
  return JSON.parse(spec.replace(/kube-api-access-\w+/g, 'kube-api-access'), (key, value: unknown) =>
    (key === 'volumes' || key === 'volumeMounts') && Array.isArray(value)
      ? value.toSorted((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1))
      : value,
  );
}

/** The label by which a namespace opts out of the policy of these tests. */
const OPT_OUT = 'podsecrets.io/test-inject';

/** The chart for this cluster, with another name and opt-out label, and limited to one namespace. */
function policyFor(cluster: Cluster, settings: readonly string[] = []): string {
  const { major, minor } = JSON.parse(cluster.kubectl(['get', '--raw', '/version'])) as {
    readonly major: string;
    readonly minor: string;
  };
  // Some vendors write 36+.
  const text = render(`${major}.${Number.parseInt(minor, 10)}`, [
    'policy.env=true',
    `policy.namespaceSelector.matchLabels.kubernetes\\.io/metadata\\.name=${NAMESPACE}`,
    ...settings,
  ]);
  if (!text.includes('MutatingAdmissionPolicy'))
    throw new Error('expected Kubernetes 1.34 or later, got an older one');
  const items = objectsIn(
    text.replaceAll(/\b(inject|env)\.podsecrets\.io$/gm, `$1-${NAMESPACE}.podsecrets.io`),
  ) as {
    readonly metadata: object;
  }[];
  const labelled = items.map((item) => ({
    ...item,
    metadata: { ...item.metadata, labels: { [RUN_LABEL]: RUN } },
  }));
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: labelled });
  return list.replaceAll('"key":"podsecrets.io/inject"', `"key":"${OPT_OUT}"`);
}

test.run();
