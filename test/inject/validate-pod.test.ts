/** The errors and warnings of inject, each with its reason. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { problemLine, problemsOf } from '../../src/core/problem.ts';
import { injected, injectWith, secretProviderClass } from '../support/inject.ts';

interface Case {
  readonly kind?: string;
  /** Fields of the pod spec, in flow style. */
  readonly pod?: string;
  readonly metadata?: string;
  readonly container?: string;
  readonly flags?: string;
  readonly parameter?: string;
  readonly object?: string;
}

function manifest({ kind = 'Deployment', pod = '', metadata = '', container = '' }: Case): string {
  const spec = `{containers: [{name: app, image: x${container && `, ${container}`}}]${pod && `, ${pod}`}}`;
  const template = `{metadata: {${metadata || 'labels: {a: b}'}}, spec: ${spec}}`;
  if (kind === 'Pod') return `apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: ${spec}\n`;
  if (kind === 'CronJob')
    return `apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: web}\nspec: {schedule: '@daily', jobTemplate: {spec: {template: ${template}}}}\n`;
  if (kind === 'Job')
    return `apiVersion: batch/v1\nkind: Job\nmetadata: {name: web}\nspec: {template: ${template}}\n`;
  const selector = 'selector: {matchLabels: {a: b}}';
  return `apiVersion: apps/v1\nkind: ${kind}\nmetadata: {name: web}\nspec: {${selector}, template: ${template}}\n`;
}

function configOf({ parameter = '', object = '' }: Case): string {
  return secretProviderClass
    .replace('    region:', `${parameter && `    ${parameter}\n`}    region:`)
    .replace('        objectType', `${object && `        ${object}\n`}        objectType`);
}

async function rejection(one: Case): Promise<readonly string[]> {
  const configs = [{ file: 'config.yaml', text: configOf(one), dir: undefined }];
  try {
    await injectWith({ file: 'pods.yaml', text: manifest(one), configs }, one.flags ?? '');
    return [];
  } catch (thrown) {
    const problems = problemsOf(thrown);
    if (problems === undefined) throw thrown;
    return problems.map(problemLine);
  }
}

async function warnings(one: Case): Promise<readonly string[]> {
  const result = await injected({ text: manifest(one), config: configOf(one), flags: one.flags ?? '' });
  return result.warnings.map(problemLine);
}

const csiVolume = {
  pod: 'volumes: [{name: v, csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: {secretProviderClass: app}}}]',
};

const rejected: readonly (readonly [string, Case, RegExp])[] = [
  [
    'a pod that nodeAffinity sends to Windows',
    {
      pod: 'affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/os, operator: In, values: [windows]}]}]}}}',
    },
    /expected a Linux pod, got one for "windows"/,
  ],
  [
    'Pod Identity on Fargate by nodeAffinity',
    {
      pod: 'affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: eks.amazonaws.com/compute-type, operator: In, values: [fargate]}]}]}}}',
      flags: '--auth pod-identity',
    },
    /does not work on Fargate \(nodeAffinity eks.amazonaws.com\/compute-type\)/,
  ],
  [
    'a port that a container uses already',
    { container: 'ports: [{containerPort: 8181}]' },
    /container app: port 8181 is already used by this container: podsecrets serves its probes and metrics there/,
  ],
  [
    'adopting Secrets of the driver in an init container',
    { flags: '--as init --sync-secrets --adopt-driver-secrets --namespace shop' },
    /^--adopt-driver-secrets: does not work with --as init/,
  ],
  [
    'adopting Secrets without syncing them',
    { flags: '--adopt-driver-secrets' },
    /^--adopt-driver-secrets: needs --sync-secrets/,
  ],
  [
    'Pod Identity with the label of a Fargate profile',
    {
      metadata: 'labels: {a: b, eks.amazonaws.com/fargate-profile: fp}',
      parameter: 'usePodIdentity: "true"',
    },
    /usePodIdentity in config.yaml does not work on Fargate \(label eks.amazonaws.com\/fargate-profile\)/,
  ],
  [
    'Pod Identity on compute of type fargate',
    { pod: 'nodeSelector: {eks.amazonaws.com/compute-type: fargate}', flags: '--auth pod-identity' },
    /--auth pod-identity does not work on Fargate/,
  ],
  [
    'Pod Identity for the scheduler of Fargate',
    { pod: 'schedulerName: fargate-scheduler', flags: '--auth pod-identity' },
    /schedulerName fargate-scheduler/,
  ],
  [
    'a plain sidecar in a cron job',
    { kind: 'CronJob', flags: '--as init+sidecar' },
    /--as init\+sidecar would keep this pod running/,
  ],
  [
    'a subPathExpr',
    {
      container: 'volumeMounts: [{name: podsecrets, mountPath: /etc/key, subPathExpr: $(NAME)}]',
      pod: 'volumes: [{name: podsecrets, emptyDir: {medium: Memory}}]',
    },
    /with subPath "\$\(NAME\)"/,
  ],
  [
    'a pod for Windows nodes, by the old label',
    { pod: 'nodeSelector: {beta.kubernetes.io/os: windows}' },
    /expected a Linux pod/,
  ],
  [
    'a signal without a shared process namespace',
    { flags: '--notify-signal SIGHUP --notify-process nginx' },
    /Deployment\/web: expected shareProcessNamespace: true for --notify-signal/,
  ],
  [
    'a signal from an init container',
    { pod: 'shareProcessNamespace: true', flags: '--as init --notify-signal HUP --notify-process nginx' },
    /the application does not run yet/,
  ],
  ['a Windows pod', { pod: 'os: {name: windows}' }, /expected a Linux pod, got one for "windows"/],
  ['a pod for Windows nodes', { pod: 'nodeSelector: {kubernetes.io/os: windows}' }, /expected a Linux pod/],
  [
    'a plain sidecar in a job',
    { kind: 'Job', flags: '--as init+sidecar' },
    /--as init\+sidecar would keep this pod running/,
  ],
  [
    'a plain sidecar in a pod that is to end',
    { kind: 'Pod', pod: 'restartPolicy: OnFailure', flags: '--as init+sidecar' },
    /--as init\+sidecar would keep this pod running/,
  ],
  [
    'a native sidecar that the kubelet cannot probe',
    { flags: '--listen off' },
    /kubelet's startupProbe can reach, got off/,
  ],
  [
    'a probe on loopback',
    { flags: '--listen 127.0.0.1:1' },
    /kubelet's startupProbe can reach, got 127.0.0.1/,
  ],
  [
    'a port that the system chooses',
    { flags: '--listen 0.0.0.0:0' },
    /kubelet's startupProbe can reach, got 0.0.0.0:0/,
  ],
  [
    'a time between refreshes for a container that runs once',
    { flags: '--as init --interval 5m' },
    /^--interval: has no effect with --as init: no sidecar runs/,
  ],
  [
    'an address for a container that runs once',
    { flags: '--as init --listen 0.0.0.0:8182' },
    /^--listen: has no effect with --as init/,
  ],
  [
    'an owner of Secrets that are not created',
    { flags: '--secret-owner pod' },
    /^--secret-owner: needs --sync-secrets/,
  ],
  [
    'a splay without a notifier',
    { flags: '--notify-splay 5s' },
    /^--notify-splay: needs a notifier: --notify-signal,/,
  ],
  [
    'a signal to every process of the node',
    { pod: 'hostPID: true', flags: '--notify-signal HUP --notify-process nginx' },
    /got hostPID: true, which shows every process of the node/,
  ],
  [
    'a directory that depends on another',
    { flags: '--dir secrets' },
    /expected an absolute path .* got "secrets"/,
  ],
  ['the root as a directory', { flags: '--dir /.' }, /expected an absolute path below \/ .* got "\/."/],
  [
    'a mount below the directory, where nothing can be mounted',
    {
      container: 'volumeMounts: [{name: other, mountPath: /mnt/secrets-store/cache/}]',
      pod: 'volumes: [{name: other, emptyDir: {}}]',
    },
    /volume other is mounted at .*, which overlaps \/mnt\/secrets-store/,
  ],
  [
    'a path that is taken, written in another way',
    {
      container: 'volumeMounts: [{name: other, mountPath: /mnt/secrets-store/}]',
      pod: 'volumes: [{name: other, emptyDir: {}}]',
    },
    /volume other is already mounted at \/mnt\/secrets-store\./,
  ],
  [
    "another ConfigMap in a volume with podsecrets' name",
    { pod: 'volumes: [{name: podsecrets-config, configMap: {name: theirs}}]' },
    /volume podsecrets-config: the name is already used/,
  ],
  [
    'Secrets without a token',
    { pod: 'automountServiceAccountToken: false', flags: '--sync-secrets -n shop' },
    /--sync-secrets needs a service account token/,
  ],
  ['a container that is not there', { flags: '--containers ap' }, /got "ap". Did you mean app\?/],
  [
    'a subPath, which never gets a new value',
    {
      container: 'volumeMounts: [{name: podsecrets, mountPath: /etc/key, subPath: key}]',
      pod: 'volumes: [{name: podsecrets, emptyDir: {medium: Memory}}]',
    },
    /the mount of volume podsecrets with subPath "key" never gets a new value/,
  ],
  [
    'the subPath of a file named files, in a volume of the CSI driver',
    { ...csiVolume, container: 'volumeMounts: [{name: v, mountPath: /etc/key, subPath: files}]' },
    /container app: the mount of volume v with subPath "files".*Leave the subPath out/,
  ],
  [
    'the subPath of a file in the directory of the files',
    {
      container: 'volumeMounts: [{name: podsecrets, mountPath: /etc/key, subPath: files/key}]',
      pod: 'volumes: [{name: podsecrets, emptyDir: {medium: Memory}}]',
    },
    /with subPath "files\/key"/,
  ],
  [
    'a mount below one of a volume of the CSI driver, where nothing can be mounted any more',
    {
      container: 'volumeMounts: [{name: v, mountPath: /v}, {name: other, mountPath: /v/cache}]',
      pod: `${csiVolume.pod.replace(']', ', {name: other, emptyDir: {}}]')}`,
    },
    /volume other is mounted at \/v\/cache, which overlaps \/v\. Change a mount path in the pod spec/,
  ],
  [
    'a path that is taken',
    {
      container: 'volumeMounts: [{name: other, mountPath: /mnt/secrets-store}]',
      pod: 'volumes: [{name: other, emptyDir: {}}]',
    },
    /volume other is already mounted at \/mnt\/secrets-store\./,
  ],
  [
    'a driver that is nearly that of the CSI driver',
    {
      ...csiVolume,
      pod: csiVolume.pod.replace('secrets-store', 'secret-store'),
    },
    /volume v: expected the driver secrets-store.csi.k8s.io, got "secret-store.csi.k8s.io"/,
  ],
  [
    'a relative path of a volume of the CSI driver',
    { ...csiVolume, container: 'volumeMounts: [{name: v, mountPath: v}]' },
    /got "v"\. Change the mount path in the pod spec/,
  ],
  [
    'volumeMounts that are a map',
    { container: 'volumeMounts: {name: v, mountPath: /v}' },
    /container app: expected a list in volumeMounts, got a map\. Begin each entry with a dash/,
  ],
  [
    'init containers that are a map',
    { pod: 'initContainers: {name: a, image: b}' },
    /expected a list in initContainers, got a map/,
  ],
  [
    'a name that is taken',
    { pod: 'volumes: [{name: podsecrets, emptyDir: {}}]' },
    /volume podsecrets: the name is already used/,
  ],
  [
    "another container with podsecrets' name",
    { pod: 'initContainers: [{name: podsecrets, image: other}]' },
    /container podsecrets: the name is already used/,
  ],
  [
    'root, which podsecrets would be as well',
    { pod: 'securityContext: {runAsUser: 0}', flags: '--run-as-user none' },
    /the pod runs as root .*with --run-as-user none podsecrets would run as root too/,
  ],
  [
    'two users for podsecrets',
    { flags: '--run-as-user none --owner 7:7' },
    /^--run-as-user: none does not work with --owner/,
  ],
  [
    'a memory request above the limit',
    { flags: '--memory-request 1Gi' },
    /^--memory-request: expected at most --memory-limit \(128Mi\), got 1Gi/,
  ],
  [
    'a processor limit below the request',
    { flags: '--cpu-limit 5m' },
    /^--cpu-request: expected at most --cpu-limit \(5m\), got 10m/,
  ],
  [
    'a config with mistakes',
    { parameter: 'usePodIdentity: "maybe"' },
    /parameters.usePodIdentity \(config.yaml:\d+\): expected .*"maybe"/,
  ],
  [
    'a class that is nowhere to be found',
    {
      pod: 'volumes: [{name: v, csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: {secretProviderClass: lost}}}]',
    },
    /SecretProviderClass "lost" not found in the input or with --config \(found: app\)/,
  ],
];

for (const [what, one, message] of rejected) {
  test(`rejects ${what}`, async () => {
    const lines = await rejection(one);
    assert.is(lines.length, 1, lines.join('\n'));
    assert.match(lines[0] ?? '', message);
  });
}

const allowed: readonly (readonly [string, Case])[] = [
  [
    'IRSA on Fargate, whatever the config says',
    { pod: 'schedulerName: fargate-scheduler', parameter: 'usePodIdentity: "true"', flags: '--auth irsa' },
  ],
  ['IRSA on Fargate', { metadata: 'labels: {a: b, eks.amazonaws.com/fargate-profile: fp}' }],
  [
    'a signal in a shared process namespace',
    {
      pod: 'shareProcessNamespace: true, securityContext: {runAsUser: 101}',
      flags: '--notify-signal HUP --notify-process nginx',
    },
  ],
  [
    'a mode for the user that the cluster assigns to all',
    { flags: '--run-as-user none', object: 'filePermission: "0400"' },
  ],
  [
    'no user of its own if all containers have one',
    {
      pod: 'securityContext: {runAsUser: 0}',
      container: 'securityContext: {runAsUser: 7}',
      flags: '--run-as-user none',
    },
  ],
  ['a native sidecar in a job', { kind: 'Job', pod: 'restartPolicy: Never' }],
  [
    "the directory of the files as a subPath, and a path that podsecrets' container has too",
    {
      container: 'volumeMounts: [{name: podsecrets, mountPath: /etc/podsecrets, subPath: files}]',
      pod: 'volumes: [{name: podsecrets, emptyDir: {medium: Memory}}]',
    },
  ],
  ['no probe with an init container', { flags: '--as init+sidecar --listen 127.0.0.1:0' }],
  [
    'a volume next to the directory',
    {
      container: 'volumeMounts: [{name: other, mountPath: /mnt/secrets-store-2}]',
      pod: 'volumes: [{name: other, emptyDir: {}}]',
    },
  ],
  [
    'a mode that the group of the pod may read',
    { pod: 'securityContext: {fsGroup: 7}', object: 'filePermission: "0440"' },
  ],
  [
    'a mode for the user that all run as',
    { pod: 'securityContext: {runAsUser: 7}', object: 'filePermission: "0400"' },
  ],
];

for (const [what, one] of allowed) {
  test(`accepts without a warning: ${what}`, async () => {
    assert.equal(await warnings(one), []);
  });
}

const warned: readonly (readonly [string, Case, RegExp])[] = [
  [
    'a subPath with an init container',
    {
      container: 'volumeMounts: [{name: podsecrets, mountPath: /etc/key, subPath: key}]',
      pod: 'volumes: [{name: podsecrets, emptyDir: {medium: Memory}}]',
      flags: '--as init',
    },
    /with subPath "key"/,
  ],
  [
    'a signal to processes of an unknown user',
    { pod: 'shareProcessNamespace: true', flags: '--notify-signal HUP --notify-process nginx' },
    /a signal reaches only processes of the same user/,
  ],
  [
    'files that the application may not read',
    { object: 'filePermission: "0400"' },
    /files of mode 0400 are readable only to the user of podsecrets/,
  ],
  [
    'files of the user that the cluster assigns, when a container names another',
    {
      container: 'securityContext: {runAsUser: 0}',
      flags: '--run-as-user none',
      object: 'filePermission: "0400"',
    },
    /files of mode 0400 are readable only to the user of podsecrets/,
  ],
  [
    'an annotation that keeps credentials away',
    { metadata: 'annotations: {eks.amazonaws.com/skip-containers: "log, podsecrets"}' },
    /keeps AWS credentials from the podsecrets container/,
  ],
  [
    'an init container that would send no notification',
    { flags: '--as init --notify-touch /tmp/x' },
    /^--notify-on-start: is missing with --as init/,
  ],
  [
    'Secrets that no config asks for',
    { flags: '--sync-secrets -n shop' },
    /^--sync-secrets: has no effect: no config has secretObjects/,
  ],
  [
    'a memory limit with which the start takes seconds',
    { flags: '--memory-limit 95Mi' },
    /^--memory-limit: expected at least 96Mi, got 95Mi/,
  ],
  [
    'a directory for volumes that have their mount paths',
    {
      pod: 'volumes: [{name: v, csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: {secretProviderClass: app}}}]',
      container: 'volumeMounts: [{name: v, mountPath: /v}]',
      flags: '--dir /elsewhere',
    },
    /^--dir: has no effect/,
  ],
  ['a port on the node', { pod: 'hostNetwork: true' }, /port 8181 is used on the node/],
  [
    'nodePublishSecretRef, which is left out',
    {
      pod: 'volumes: [{name: v, csi: {driver: secrets-store.csi.k8s.io, nodePublishSecretRef: {name: s}, volumeAttributes: {secretProviderClass: app}}}]',
    },
    /nodePublishSecretRef was left out/,
  ],
];

for (const [what, one, message] of warned) {
  test(`warns about ${what}`, async () => {
    const lines = await warnings(one);
    assert.is(lines.length, 1, lines.join('\n'));
    assert.match(lines[0] ?? '', message);
  });
}

test('reports all problems together', async () => {
  const one = { pod: 'os: {name: windows}', flags: '--listen off --containers nobody' };
  assert.is((await rejection(one)).length, 3);
});

test('rejects an input without pods, or without anything to change', async () => {
  const of = async (text: string) => {
    try {
      await injectWith({ file: 'pods.yaml', text, configs: [] }, '');
      return '';
    } catch (thrown) {
      return problemsOf(thrown)?.map(problemLine).join() ?? 'a bug';
    }
  };
  assert.match(await of('kind: Service\n'), /pods.yaml: no Pod or workload found/);
  assert.match(
    await of('kind: Deployment\nspec: {replicas: 1}\n'),
    /no Pod or workload found: a Deployment has its pod spec in spec.template.spec, and there is none/,
  );
  assert.match(await of(manifest({})), /no volume of secrets-store.csi.k8s.io/);
  assert.match(await of('a: [\n'), /^manifest \(pods.yaml:2\): expected "\]", got none/);
});

const synced = secretProviderClass
  .replace('prod/db #', 'prod/db\n        objectAlias: db #')
  .replace(
    '  parameters:',
    '  secretObjects:\n    - {secretName: db, type: Opaque, data: [{objectName: db, key: password}]}\n  parameters:',
  );

function withConfig(one: Case): Promise<readonly string[]> {
  const configs = [{ file: 'config.yaml', text: synced, dir: undefined }];
  return injectWith({ file: 'pods.yaml', text: manifest(one), configs }, one.flags ?? '').then(
    (result) => result.warnings.map(problemLine),
    (thrown) => (problemsOf(thrown) ?? []).map(problemLine),
  );
}

test('rejects a container that reads a Secret that is not created, by variable and by envFrom', async () => {
  const variable = 'env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}]';
  const reads = async (container: string, flags = '') => (await withConfig({ container, flags })).join('\n');
  assert.match(
    await reads(variable),
    'Deployment/web container app: variable PASSWORD reads the Secret db of the config',
  );
  assert.match(
    await reads('envFrom: [{secretRef: {name: db}}]'),
    'container app: envFrom reads the Secret db',
  );
  assert.not.match(await reads('envFrom: [{secretRef: {name: other}}]'), 'reads the Secret');
  assert.not.match(await reads(variable, '--sync-secrets --namespace shop'), 'reads the Secret');
});

test('converting a volume whose class has secretObjects warns with the order of steps', async () => {
  const warned = (await withConfig({ ...csiVolume, flags: '--sync-secrets --namespace shop' })).join('\n');
  assert.match(warned, 'the Secrets Store CSI driver manages db until the last old pod is gone');
  assert.match(
    warned,
    /1\. apply this output with --adopt-driver-secrets.*2\. wait.*3\. inject again.*4\. delete/,
  );
  assert.not.match(
    (await withConfig({ flags: '--sync-secrets --namespace shop' })).join(),
    'CSI driver manages',
  );
});

test.run();
