/**
 * The podsecrets containers as a pod spec has them.
 *
 * They run under the strictest of the Pod Security Standards: no root, no capability, a root file system that cannot be
 * written. AWS credentials need nothing here: the webhooks of EKS put their variables and token into every container and
 * init container of a pod whose service account has a role.
 */

import { asObject, asObjects } from '../core/unknown.ts';
import type { KubeObject } from './manifest.ts';
import type { InjectOptions } from './options.ts';
import { INIT_NAME, isInjectedContainer, publishedDirectory, SIDECAR_NAME } from './own-names.ts';
import type { VolumeBinding } from './volumes.ts';

/** Where our containers go in a pod spec. */
export interface OwnContainers {
  /** At the head of initContainers: the kubelet makes a missing subPath as root, when the first container that mounts it is not ours. */
  readonly first: readonly KubeObject[];
  /** At the end of containers. */
  readonly beside: readonly KubeObject[];
}

/** The containers that a pod needs for its bindings. */
export function ownContainers(
  pod: KubeObject,
  bindings: readonly VolumeBinding[],
  choices: InjectOptions,
): OwnContainers {
  const { image } = choices;
  const rest = {
    ...environmentOf(choices),
    resources: RESOURCES,
    securityContext: securityContextOf(pod, choices),
    volumeMounts: bindings.flatMap(mountsOf),
  };
  const configs = bindings.map(
    (binding) => `--config=${binding.configDir}/config.yaml=${publishedDirectory(binding.root)}`,
  );
  const init = { name: INIT_NAME, image, args: ['init', ...configs, ...choices.initArguments], ...rest };
  const sidecar = { name: SIDECAR_NAME, image, args: ['sidecar', ...configs, ...choices.sidecarArguments] };
  switch (choices.as) {
    case 'init':
      return { first: [init], beside: [] };
    case 'init+sidecar':
      return { first: [init], beside: [{ ...sidecar, ...livenessProbe(choices), ...rest }] };
    case 'sidecar':
      return {
        first: [
          {
            ...sidecar,
            restartPolicy: 'Always',
            ...startupProbe(choices),
            ...livenessProbe(choices),
            ...rest,
          },
        ],
        beside: [],
      };
    default:
      return choices.as satisfies never;
  }
}

/**
 * Measured on amd64: 15 MB of memory of its own with one secret, 56 MB at the peak of starting with 400 objects. The limit
 * leaves room for the pages of the program itself (80 MB, from the image, shared by the pods of a node), which the kernel
 * counts too, and drops when they are in the way.
 */
const RESOURCES = { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '128Mi' } } as const;

/**
 * The application starts once `/readyz` says that the files are there. The probe waits longer than the program tries, so
 * that a failure ends with the program's own words, not with the kubelet's.
 */
function startupProbe({ listen, startTimeout }: InjectOptions): KubeObject {
  const port = probedPort(listen);
  if (port === undefined) return {};
  const seconds = Math.ceil(startTimeout / 1000) + 10;
  return {
    startupProbe: {
      httpGet: { path: '/readyz', port },
      periodSeconds: 1,
      failureThreshold: seconds,
    },
  };
}

/** Says that the loop turns, and nothing about AWS. */
function livenessProbe({ listen }: InjectOptions): KubeObject {
  const port = probedPort(listen);
  return port === undefined
    ? {}
    : { livenessProbe: { httpGet: { path: '/livez', port }, periodSeconds: 10 } };
}

/** Where the kubelet can ask, from outside the pod, at a port that is known beforehand; undefined when nowhere. */
export function probedPort(listen: InjectOptions['listen']): number | undefined {
  if (listen === 'off' || listen.port === 0 || /^(127\.|localhost$|::1$)/.test(listen.host)) return undefined;
  return listen.port;
}

/** The user of the distroless image, for want of a better one. */
export const NONROOT = 65532;

/** `--secret-owner` names the pod, which only the downward API tells for certain. */
function environmentOf(choices: InjectOptions): KubeObject {
  if (!choices.syncSecrets || choices.secretOwner === 'retain') return {};
  const variable = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  return { env: [variable('POD_NAME', 'metadata.name'), variable('POD_UID', 'metadata.uid')] };
}

function securityContextOf(pod: KubeObject, choices: InjectOptions): KubeObject {
  const { uid, gid } = choices.owner ?? applicationUser(pod) ?? { uid: NONROOT, gid: NONROOT };
  return {
    runAsNonRoot: uid !== 0,
    runAsUser: uid,
    runAsGroup: gid,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  };
}

/**
 * The user that all the application's containers run as, when the pod spec says so and it is not root: files of mode 0400
 * are then readable to it, and signals reach it, without any capability.
 */
export function applicationUser(pod: KubeObject): { readonly uid: number; readonly gid: number } | undefined {
  const shared = asObject(pod.securityContext);
  const users = asObjects(pod.containers)
    .filter((container) => !isInjectedContainer(container))
    .map((container) => ({ ...shared, ...asObject(container.securityContext) }) as KubeObject);
  const [first, ...others] = users;
  const uid = first?.runAsUser;
  if (typeof uid !== 'number' || uid === 0 || others.some((other) => other.runAsUser !== uid))
    return undefined;
  const gid = first?.runAsGroup;
  return { uid, gid: typeof gid === 'number' ? gid : uid };
}

function mountsOf(binding: VolumeBinding): readonly KubeObject[] {
  return [
    { name: binding.volume, mountPath: binding.root },
    { name: binding.configVolume, mountPath: binding.configDir, readOnly: true },
  ];
}
