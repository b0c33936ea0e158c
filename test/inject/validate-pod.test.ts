/** What inject refuses, and what it warns of: each with the reason, before anybody waits for it in a cluster. */

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

async function refusals(one: Case): Promise<readonly string[]> {
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

const refused: readonly (readonly [string, Case, RegExp])[] = [
  [
    'Pod Identity with the label of a Fargate profile',
    {
      metadata: 'labels: {a: b, eks.amazonaws.com/fargate-profile: fp}',
      parameter: 'usePodIdentity: "true"',
    },
    /expected IRSA on Fargate \(label eks.amazonaws.com\/fargate-profile\), got usePodIdentity in config.yaml/,
  ],
  [
    'Pod Identity on compute of type fargate',
    { pod: 'nodeSelector: {eks.amazonaws.com/compute-type: fargate}', flags: '--auth pod-identity' },
    /got --auth pod-identity: EKS Pod Identity does not exist there/,
  ],
  [
    'Pod Identity for the scheduler of Fargate',
    { pod: 'schedulerName: fargate-scheduler', flags: '--auth pod-identity' },
    /schedulerName fargate-scheduler/,
  ],
  [
    'a plain sidecar in a cron job',
    { kind: 'CronJob', flags: '--as init+sidecar' },
    /a plain sidecar would keep it running/,
  ],
  [
    'a subPathExpr',
    {
      container: 'volumeMounts: [{name: podsecrets, mountPath: /etc/key, subPathExpr: $(NAME)}]',
      pod: 'volumes: [{name: podsecrets, emptyDir: {medium: Memory}}]',
    },
    /got subPath "\$\(NAME\)"/,
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
    /a plain sidecar would keep it running/,
  ],
  [
    'a plain sidecar in a pod that is to end',
    { kind: 'Pod', pod: 'restartPolicy: OnFailure', flags: '--as init+sidecar' },
    /a plain sidecar would keep it running/,
  ],
  [
    'a native sidecar that nobody can probe',
    { flags: '--listen off' },
    /kubelet's startupProbe reaches, got off/,
  ],
  ['a probe on loopback', { flags: '--listen 127.0.0.1:1' }, /kubelet's startupProbe reaches, got 127.0.0.1/],
  [
    'a port that nobody knows beforehand',
    { flags: '--listen 0.0.0.0:0' },
    /kubelet's startupProbe reaches, got 0.0.0.0:0/,
  ],
  [
    'a time between refreshes for a container that runs once',
    { flags: '--as init --interval 5m' },
    /^--interval: expected a sidecar, got --as init: an init container runs once/,
  ],
  [
    'an address for a container that runs once',
    { flags: '--as init --listen 0.0.0.0:8182' },
    /^--listen: expected a sidecar, got --as init/,
  ],
  [
    'an owner of Secrets that nobody makes',
    { flags: '--secret-owner pod' },
    /^--secret-owner: expected --sync-secrets beside it/,
  ],
  [
    'a wait before telling nobody',
    { flags: '--notify-splay 5s' },
    /^--notify-splay: expected a way to tell beside it \(--notify-signal,/,
  ],
  [
    'a signal to every process of the node',
    { pod: 'hostPID: true', flags: '--notify-signal HUP --notify-process nginx' },
    /got hostPID: true, and with it every process of the node/,
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
    /expected nothing mounted at \/mnt\/secrets-store or below/,
  ],
  [
    'a path that is taken, written in another way',
    {
      container: 'volumeMounts: [{name: other, mountPath: /mnt/secrets-store/}]',
      pod: 'volumes: [{name: other, emptyDir: {}}]',
    },
    /expected nothing mounted at \/mnt\/secrets-store/,
  ],
  [
    "somebody else's ConfigMap in a volume of our name",
    { pod: 'volumes: [{name: podsecrets-config, configMap: {name: theirs}}]' },
    /volume podsecrets-config: expected the name to be free/,
  ],
  [
    'Secrets without a token',
    { pod: 'automountServiceAccountToken: false', flags: '--sync-secrets -n shop' },
    /expected a service account token/,
  ],
  ['a container that is not there', { flags: '--containers ap' }, /got "ap". Did you mean app\?/],
  [
    'a subPath, which never shows a new value',
    {
      container: 'volumeMounts: [{name: podsecrets, mountPath: /etc/key, subPath: key}]',
      pod: 'volumes: [{name: podsecrets, emptyDir: {medium: Memory}}]',
    },
    /expected a mount of all files of the volume podsecrets, got subPath "key": it never shows a new value/,
  ],
  [
    'the subPath of a file named files, in a volume of the CSI driver',
    { ...csiVolume, container: 'volumeMounts: [{name: v, mountPath: /etc/key, subPath: files}]' },
    /container app: expected a mount of all files of the volume v, got subPath "files".*Leave the subPath out/,
  ],
  [
    'the subPath of a file in the directory of the files',
    {
      container: 'volumeMounts: [{name: podsecrets, mountPath: /etc/key, subPath: files/key}]',
      pod: 'volumes: [{name: podsecrets, emptyDir: {medium: Memory}}]',
    },
    /got subPath "files\/key"/,
  ],
  [
    'a mount below one of a volume of the CSI driver, where nothing can be mounted any more',
    {
      container: 'volumeMounts: [{name: v, mountPath: /v}, {name: other, mountPath: /v/cache}]',
      pod: `${csiVolume.pod.replace(']', ', {name: other, emptyDir: {}}]')}`,
    },
    /expected nothing mounted at \/v or below, got another volume at \/v\/cache\. Change a mount path in the pod spec/,
  ],
  [
    'a path that is taken',
    {
      container: 'volumeMounts: [{name: other, mountPath: /mnt/secrets-store}]',
      pod: 'volumes: [{name: other, emptyDir: {}}]',
    },
    /expected nothing mounted at \/mnt\/secrets-store/,
  ],
  [
    'a name that is taken',
    { pod: 'volumes: [{name: podsecrets, emptyDir: {}}]' },
    /volume podsecrets: expected the name/,
  ],
  [
    'a container of our name that is not ours',
    { pod: 'initContainers: [{name: podsecrets, image: other}]' },
    /container podsecrets: expected the name to be free/,
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
    /expected the SecretProviderClass "lost" in the input or with --config, got app/,
  ],
];

for (const [what, one, message] of refused) {
  test(`refused: ${what}`, async () => {
    const lines = await refusals(one);
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
  ['a native sidecar in a job', { kind: 'Job', pod: 'restartPolicy: Never' }],
  [
    'the directory of the files as a subPath, and a path that our own container has too',
    {
      container: 'volumeMounts: [{name: podsecrets, mountPath: /etc/podsecrets, subPath: files}]',
      pod: 'volumes: [{name: podsecrets, emptyDir: {medium: Memory}}]',
    },
  ],
  ['no probe beside an init container', { flags: '--as init+sidecar --listen 127.0.0.1:0' }],
  [
    'a volume beside the directory',
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
  test(`neither refused nor warned of: ${what}`, async () => {
    assert.equal(await warnings(one), []);
  });
}

const warned: readonly (readonly [string, Case, RegExp])[] = [
  [
    'a subPath beside an init container',
    {
      container: 'volumeMounts: [{name: podsecrets, mountPath: /etc/key, subPath: key}]',
      pod: 'volumes: [{name: podsecrets, emptyDir: {medium: Memory}}]',
      flags: '--as init',
    },
    /got subPath "key"/,
  ],
  [
    'a signal to processes of a user that nobody knows',
    { pod: 'shareProcessNamespace: true', flags: '--notify-signal HUP --notify-process nginx' },
    /a signal reaches only processes of the same user/,
  ],
  [
    'files that the application may not read',
    { object: 'filePermission: "0400"' },
    /files of mode 0400 are readable only to user 65532/,
  ],
  [
    'an annotation that keeps credentials away',
    { metadata: 'annotations: {eks.amazonaws.com/skip-containers: "log, podsecrets"}' },
    /expected AWS credentials in our container/,
  ],
  [
    'an init container that would tell nobody',
    { flags: '--as init --notify-touch /tmp/x' },
    /^--notify-on-start: expected it beside --as init/,
  ],
  [
    'Secrets that no config asks for',
    { flags: '--sync-secrets -n shop' },
    /^--sync-secrets: expected secretObjects in a config, got none/,
  ],
  [
    'a directory for volumes that have their mount paths',
    {
      pod: 'volumes: [{name: v, csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: {secretProviderClass: app}}}]',
      container: 'volumeMounts: [{name: v, mountPath: /v}]',
      flags: '--dir /elsewhere',
    },
    /^--dir: expected a config that needs a directory/,
  ],
  ['a port on the node', { pod: 'hostNetwork: true' }, /port 8181 is then taken on the node/],
  [
    'nodePublishSecretRef, which is left out',
    {
      pod: 'volumes: [{name: v, csi: {driver: secrets-store.csi.k8s.io, nodePublishSecretRef: {name: s}, volumeAttributes: {secretProviderClass: app}}}]',
    },
    /expected no nodePublishSecretRef/,
  ],
];

for (const [what, one, message] of warned) {
  test(`warned of: ${what}`, async () => {
    const lines = await warnings(one);
    assert.is(lines.length, 1, lines.join('\n'));
    assert.match(lines[0] ?? '', message);
  });
}

test('everything that cannot work is said at once', async () => {
  const one = { pod: 'os: {name: windows}', flags: '--listen off --containers nobody' };
  assert.is((await refusals(one)).length, 3);
});

test('an input without pods, or without anything to do, is refused', async () => {
  const of = async (text: string) => {
    try {
      await injectWith({ file: 'pods.yaml', text, configs: [] }, '');
      return '';
    } catch (thrown) {
      return problemsOf(thrown)?.map(problemLine).join() ?? 'a bug';
    }
  };
  assert.match(
    await of('kind: Service\n'),
    /pods.yaml: expected a Pod or something that makes pods, got none/,
  );
  assert.match(await of(manifest({})), /expected a volume of secrets-store.csi.k8s.io/);
  assert.match(await of('a: [\n'), /pods.yaml \(pods.yaml:2\): expected YAML, got text with an error/);
});

test.run();
