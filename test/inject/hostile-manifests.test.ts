/**
 * Manifests that people really have and that inject could get wrong: other controllers, unusual pods, names that are taken. The
 * result passes the schemas of Kubernetes and is stable, or the error says what to do.
 */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { stringify } from 'yaml';
import { problemLine, problemsOf } from '../../src/core/problem.ts';
import {
  containersIn,
  injected,
  injectWith,
  objectsIn,
  secretProviderClass,
  valuesIn,
} from '../support/inject.ts';

const test = suite('hostile-manifests');

type Fields = Readonly<Record<string, unknown>>;

const driver = 'secrets-store.csi.k8s.io';
const csi = (name = 'v', secretProviderClass = 'app') => ({
  name,
  csi: { driver, readOnly: true, volumeAttributes: { secretProviderClass } },
});
const mount = (fields: Fields = {}) => ({ name: 'v', mountPath: '/mnt/secrets', ...fields });
const container = (fields: Fields = {}) => ({ name: 'app', image: 'nginx', ...fields });
const pod = (fields: Fields = {}) => ({
  containers: [container({ volumeMounts: [mount()] })],
  volumes: [csi()],
  ...fields,
});
const labels = { app: 'shop' };
const template = (fields?: Fields) => ({ metadata: { labels }, spec: pod(fields) });
const object = (apiVersion: string, kind: string, spec: Fields) =>
  stringify({ apiVersion, kind, metadata: { name: 'shop' }, spec });
const deployment = (fields?: Fields, more: Fields = {}) =>
  object('apps/v1', 'Deployment', { selector: { matchLabels: labels }, template: template(fields), ...more });
const bare = (fields?: Fields) => object('v1', 'Pod', pod(fields));

const all = (...texts: readonly string[]) => texts.join('---\n');
const secretObjects = secretProviderClass.replace(
  '  parameters:',
  '  secretObjects:\n  - {secretName: synced, type: Opaque, data: [{objectName: prod_db, key: db}]}\n  parameters:',
);

async function errors(text: string, flags = ''): Promise<string> {
  try {
    await injectWith(inputOf(text), flags);
    return '';
  } catch (thrown) {
    const found = problemsOf(thrown);
    if (found === undefined) throw thrown;
    return found.map(problemLine).join('\n');
  }
}
const inputOf = (text: string) => ({ file: 'pods.yaml', text, configs: [] });
const kindsOf = (objects: readonly unknown[]) =>
  objects.map((value) => (value as { readonly kind: string }).kind);

/** Kinds of other controllers, with the pod spec somewhere in them. */
const converted: readonly (readonly [string, string])[] = [
  ['an Argo Rollout', object('argoproj.io/v1alpha1', 'Rollout', { template: template() })],
  [
    'a DeploymentConfig of OpenShift',
    object('apps.openshift.io/v1', 'DeploymentConfig', { selector: labels, template: template() }),
  ],
  [
    "KEDA's ScaledJob",
    object('keda.sh/v1alpha1', 'ScaledJob', { jobTargetRef: { template: template() }, triggers: [] }),
  ],
  [
    'a CronJob',
    object('batch/v1', 'CronJob', {
      schedule: '@daily',
      jobTemplate: { spec: { template: template({ restartPolicy: 'Never' }) } },
    }),
  ],
  [
    'a StatefulSet with volumeClaimTemplates',
    object('apps/v1', 'StatefulSet', {
      serviceName: 'shop',
      selector: { matchLabels: labels },
      template: template(),
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      ],
    }),
  ],
  [
    'a pod with a native sidecar, an init container that mounts the files, and a read-only root',
    deployment({
      initContainers: [
        container({ name: 'proxy', restartPolicy: 'Always' }),
        container({ name: 'migrate', volumeMounts: [mount({ mountPath: '/migrate' })] }),
      ],
      containers: [container({ volumeMounts: [mount()], securityContext: { readOnlyRootFilesystem: true } })],
    }),
  ],
  ['a pod as root', deployment({ securityContext: { runAsUser: 0 } })],
  ['a pod with runAsNonRoot and no user', deployment({ securityContext: { runAsNonRoot: true } })],
  ['a pod with hostNetwork', deployment({ hostNetwork: true })],
  [
    'Argo CD applications next to it',
    all(
      object('argoproj.io/v1alpha1', 'Application', {
        source: { repoURL: 'https://example.com/a', helm: { values: 'containers: []\n' } },
      }),
      object('argoproj.io/v1alpha1', 'ApplicationSet', { template: { spec: { project: 'default' } } }),
      deployment(),
    ),
  ],
  [
    'classes of another group, and objects of the driver itself',
    all(
      object('example.com/v1', 'SecretProviderClass', { provider: 'aws' }),
      object('secrets-store.csi.x-k8s.io/v1', 'SecretProviderClassPodStatus', {}),
      object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', {
        names: { kind: 'SecretProviderClass' },
      }),
      deployment(),
    ),
  ],
];
for (const [what, text] of converted)
  test(`converts ${what}`, async () => {
    const once = await injectWith(inputOf(all(secretProviderClass, text)), '');
    assert.is((await injectWith(inputOf(once.text), '')).text, once.text);
    const { objects, warnings } = once;
    assert.equal(
      valuesIn<Fields>(objects, 'csi').filter((value) => value.driver === driver),
      [],
    );
    const [first] = containersIn(objects, 'initContainers');
    assert.is(first?.name, 'podsecrets');
    const mounts = [...containersIn(objects, 'initContainers'), ...containersIn(objects, 'containers')]
      .filter(({ name }) => name !== 'podsecrets')
      .flatMap(({ volumeMounts = [] }) => volumeMounts.filter(({ name }) => name === 'v'));
    assert.ok(mounts.length > 0);
    for (const { subPath, readOnly } of mounts) assert.equal([subPath, readOnly], ['files', true]);
    assert.not.match(warnings.join(), 'not converted');
  });

/** Kinds whose pod spec is not found: alone they are an error, with a workload a warning. */
const workflow = object('argoproj.io/v1alpha1', 'Workflow', {
  entrypoint: 'main',
  templates: [{ name: 'main', container: container({ volumeMounts: [mount()] }) }],
  volumes: [csi()],
});
const pipeline = object('tekton.dev/v1', 'PipelineRun', {
  taskRunTemplate: { podTemplate: { volumes: [csi()] } },
});
for (const [what, text, subject] of [
  ['an Argo Workflow', workflow, 'Workflow/shop'],
  ['a PipelineRun of Tekton', pipeline, 'PipelineRun/shop'],
] as const)
  test(`reports the volume of the driver in ${what}`, async () => {
    const message = `${subject}: it has a volume of ${driver}, but its kind is not built into Kubernetes`;
    assert.match(await errors(all(secretProviderClass, text)), message);
    const { objects, warnings } = await injectWith(inputOf(all(secretProviderClass, deployment(), text)), '');
    assert.match(warnings.map(problemLine).join('\n'), message);
    assert.equal(kindsOf(objects), ['ConfigMap', 'Deployment', subject.split('/')[0]]);
  });

test('a control character is refused with its line, in a comment too, as kubectl refuses it', async () => {
  for (const [character, code] of [
    ['\u001b', '001B'],
    ['\u009b', '009B'],
    ['\u0000', '0000'],
    ['\u007f', '007F'],
  ] as const) {
    const text = `${bare()}# a comment\n# red ${character}[31m\n`;
    const line = text.split('\n').length - 1;
    assert.match(
      await errors(text),
      `(pods.yaml:${line}): invalid YAML: expected printable characters, got the character U+${code}`,
    );
  }
});

test('a pod spec in the wrong place of a kind of Kubernetes is named', async () => {
  const text = deployment().replace('kind: Deployment', 'kind: CronJob');
  assert.match(
    await errors(all(secretProviderClass, text)),
    /CronJob\/shop: it has a volume of secrets-store.csi.k8s.io, but no pod spec in spec.jobTemplate.spec.template.spec/,
  );
});

test('reports a kustomization.yaml in a directory, because its patches are not applied', async () => {
  const kustomization = stringify({ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' });
  const { warnings } = await injectWith(inputOf(all(kustomization, secretProviderClass, deployment())), '');
  assert.equal(warnings.map(problemLine), [
    'Kustomization: its patches, names and generators are not applied. Render it first: kubectl kustomize DIR | podsecrets inject [kubernetes.content]',
  ]);
});

const usedByVolumes = object('serving.knative.dev/v1', 'Service', {
  template: template({ containers: [container({ command: ['nginx'] })], volumes: [] }),
});
const withVariable = secretProviderClass.replace('        objectType', '        env: DB\n        objectType');
for (const [flags, count] of [
  ['', 1],
  ['--as init', 1],
  ['--as none --exec', 0],
] as const)
  test(`${count === 0 ? 'does not warn' : 'warns'} of Knative with "${flags}"`, async () => {
    const { warnings } = await injectWith(inputOf(all(withVariable, usedByVolumes)), flags);
    const texts = warnings
      .map(problemLine)
      .filter((text) => text.includes('Knative rejects native sidecars'));
    assert.is(texts.length, count);
  });

test('an Argo Rollout with a workloadRef is left alone, and the Deployment that it names is converted', async () => {
  const rollout = object('argoproj.io/v1alpha1', 'Rollout', {
    workloadRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
  });
  const { text, warnings } = await injectWith(inputOf(all(secretProviderClass, rollout, deployment())), '');
  assert.ok(text.includes(rollout));
  assert.equal(warnings, []);
});

test('a pod of kubectl debug loses its ephemeral containers, with which no pod can be created', async () => {
  const text = bare({
    ephemeralContainers: [{ name: 'debugger', image: 'busybox', targetContainerName: 'app' }],
  });
  const injected = await injectWith(inputOf(all(secretProviderClass, text)), '');
  assert.equal(valuesIn(objectsIn(injected.text), 'ephemeralContainers'), []);
});

test('two volumes of one class get the files twice', async () => {
  const text = deployment({
    containers: [container({ volumeMounts: [mount(), mount({ name: 'w', mountPath: '/w' })] })],
    volumes: [csi(), csi('w')],
  });
  const { objects } = await injected({ text: all(secretProviderClass, text) });
  assert.equal(kindsOf(objects), ['ConfigMap', 'Deployment']);
  assert.is(containersIn(objects, 'initContainers')[0]?.args.length, 3);
});

const rejected: readonly (readonly [string, string, RegExp, string?])[] = [
  [
    'a volumeClaimTemplate with the name of a volume of podsecrets',
    all(
      secretProviderClass,
      object('apps/v1', 'StatefulSet', {
        selector: { matchLabels: labels },
        template: template(),
        volumeClaimTemplates: [{ metadata: { name: 'v-config' }, spec: {} }],
      }),
    ),
    /StatefulSet\/shop volumeClaimTemplate v-config: the name is already used/,
  ],
  [
    'a volume with the name of a config volume',
    all(secretProviderClass, deployment({ volumes: [csi(), { name: 'v-config', emptyDir: {} }] })),
    /volume v-config: the name is already used/,
  ],
  [
    'two long names of volumes that differ only at the end',
    all(
      secretProviderClass,
      secretProviderClass.replace('name: app', 'name: other'),
      bare({
        containers: [container()],
        volumes: [csi(`${'v'.repeat(60)}a`), csi(`${'v'.repeat(60)}b`, 'other')],
      }),
    ),
    /Pod\/shop volume v+b: the name is already used/,
  ],
  [
    'a container called podsecrets',
    all(secretProviderClass, deployment({ containers: [container({ name: 'podsecrets' })] })),
    /Deployment\/shop container podsecrets: the name is already used/,
  ],
  [
    'the subPath of a file',
    all(
      secretProviderClass,
      deployment({ containers: [container({ volumeMounts: [mount({ subPath: 'prod_db' })] })] }),
    ),
    /subPath "prod_db" never gets a new value/,
  ],
  [
    'a volume below the files',
    all(
      secretProviderClass,
      deployment({
        containers: [
          container({ volumeMounts: [mount(), { name: 'cache', mountPath: '/mnt/secrets/cache' }] }),
        ],
        volumes: [csi(), { name: 'cache', emptyDir: {} }],
      }),
    ),
    /volume cache is mounted at \/mnt\/secrets\/cache/,
  ],
  [
    'a Windows pod by a host process',
    all(
      secretProviderClass,
      deployment({ securityContext: { windowsOptions: { hostProcess: true } }, hostNetwork: true }),
    ),
    /expected a Linux pod, got one for "windows"/,
  ],
  [
    'a class of another namespace',
    all(
      secretProviderClass.replace('name: app', 'name: app\n  namespace: dev'),
      bare().replace('name: shop', 'name: shop\n  namespace: prod'),
    ),
    /SecretProviderClass "app" is in namespace "dev", and a pod can use only one of its own namespace/,
  ],
  [
    'a class with a similar name',
    all(secretProviderClass, deployment({ volumes: [csi('v', 'appp')] })),
    /SecretProviderClass "appp" not found .*\(found: app\)\. Did you mean app\?/,
  ],
  [
    'a volume that names no class',
    all(secretProviderClass, deployment({ volumes: [{ name: 'v', csi: { driver } }] })),
    /volume v: expected the name of a SecretProviderClass in volumeAttributes.secretProviderClass, got nothing/,
  ],
  [
    'a provider in upper case',
    all(secretProviderClass.replace('provider: aws', 'provider: AWS'), deployment()),
    /expected "aws", got "AWS"/,
  ],
  [
    'a volume of a synced Secret without --sync-secrets',
    all(secretObjects, deployment({ volumes: [csi(), { name: 's', secret: { secretName: 'synced' } }] })),
    /Deployment\/shop volume s: the Secret synced of the config's secretObjects is created by podsecrets only with --sync-secrets/,
  ],
  [
    'a projected volume of a synced Secret with --sync-secrets',
    all(
      secretObjects,
      deployment({
        volumes: [csi(), { name: 's', projected: { sources: [{ secret: { name: 'synced' } }] } }],
      }),
    ),
    /volume s: the Secret synced of the config's secretObjects does not exist when the kubelet mounts the volume/,
    '--sync-secrets --namespace shop',
  ],
  [
    'imagePullSecrets with a synced Secret without --sync-secrets',
    all(secretObjects, deployment({ imagePullSecrets: [{ name: 'synced' }] })),
    /imagePullSecrets has the Secret synced of the config's secretObjects/,
  ],
  [
    'an endless container in a ScaledJob',
    all(
      secretProviderClass,
      object('keda.sh/v1alpha1', 'ScaledJob', { jobTargetRef: { template: template() } }),
    ),
    /--as init\+sidecar would keep this pod running/,
    '--as init+sidecar',
  ],
  [
    'nothing but Argo CD applications',
    object('argoproj.io/v1alpha1', 'Application', { source: {} }),
    /pods.yaml: no Pod or workload found/,
  ],
];
for (const [what, text, message, flags] of rejected)
  test(`rejects ${what}`, async () => {
    assert.match(await errors(text, flags), message);
  });

test('an optional volume of a synced Secret is accepted with --sync-secrets', async () => {
  const volumes = [csi(), { name: 's', secret: { secretName: 'synced', optional: true } }];
  const text = all(secretObjects, deployment({ volumes, imagePullSecrets: [{ name: 'synced' }] }));
  assert.is(await errors(text, '--sync-secrets --namespace shop'), '');
});

test('hooks of Helm go with the class to what is generated', async () => {
  const hook = 'annotations: {helm.sh/hook: pre-install, helm.sh/hook-weight: "-5"}';
  const text = all(
    secretObjects.replace('name: app', `name: app\n  ${hook}`),
    object('batch/v1', 'Job', { template: template({ restartPolicy: 'Never' }) }),
  );
  const { objects } = await injectWith(
    { file: 'pods.yaml', text, configs: [] },
    '--sync-secrets --namespace shop --as init',
  );
  assert.equal(
    objects
      .map(
        (value) => value as { readonly kind: string; readonly metadata: { readonly annotations?: Fields } },
      )
      .filter(({ metadata }) => metadata.annotations?.['helm.sh/hook'] === 'pre-install')
      .map(({ kind }) => kind)
      .sort(),
    ['ConfigMap', 'Role', 'RoleBinding'],
  );
});

test.run();
