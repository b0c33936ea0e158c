/**
 * The containers that podsecrets adds to a pod spec.
 *
 * They meet the restricted Pod Security Standard: no root, no capability, a read-only root file system. AWS credentials need
 * nothing here: the webhooks of EKS add their variables and token to every container and init container of a pod whose
 * service account has a role.
 */

import { asObject, asObjects } from '../core/unknown.ts';
import type { Owner } from '../publish/snapshot.ts';
import type { KubeObject } from './manifest.ts';
import type { InjectOptions } from './options.ts';
import { INIT_NAME, isInjectedContainer, publishedDirectory, SIDECAR_NAME } from './own-names.ts';
import type { VolumeBinding } from './volumes.ts';

/** The places of podsecrets' containers in a pod spec. */
export interface OwnContainers {
  /** First in initContainers: the kubelet creates a missing subPath as root for any container that mounts it earlier. */
  readonly first: readonly KubeObject[];
  /** At the end of containers. */
  readonly last: readonly KubeObject[];
}

/** The containers that a pod needs for its bindings. */
export function ownContainers(
  pod: KubeObject,
  bindings: readonly VolumeBinding[],
  options: InjectOptions,
): OwnContainers {
  const { image } = options;
  const rest = {
    ...environmentOf(options),
    resources: resourcesOf(options),
    securityContext: securityContextOf(pod, options),
    volumeMounts: bindings.flatMap(mountsOf),
  };
  const configs = bindings.map(
    (binding) => `--config=${binding.configDir}/config.yaml=${publishedDirectory(binding.root)}`,
  );
  const init = { name: INIT_NAME, image, args: ['init', ...configs, ...options.initArguments], ...rest };
  const sidecar = { name: SIDECAR_NAME, image, args: ['sidecar', ...configs, ...options.sidecarArguments] };
  switch (options.as) {
    case 'init':
      return { first: [init], last: [] };
    case 'init+sidecar':
      return { first: [init], last: [{ ...sidecar, ...livenessProbe(options), ...rest }] };
    case 'sidecar':
      return {
        first: [
          {
            ...sidecar,
            restartPolicy: 'Always',
            ...restartRules(options),
            ...startupProbe(options),
            ...livenessProbe(options),
            ...rest,
          },
        ],
        last: [],
      };
    case 'none':
      return { first: [], last: [] };
    default:
      return options.as satisfies never;
  }
}

/**
 * The reasons for the defaults, measured on amd64: 15 MB of private memory with one secret, 56 MB at the peak of a start with 400
 * objects. The limit also covers the pages of the program itself (80 MB, from the image, shared by the pods of a node), which the
 * kernel counts, and drops under pressure.
 */
function resourcesOf({ cpuRequest, cpuLimit, memoryRequest, memoryLimit }: InjectOptions): KubeObject {
  const cpu = cpuLimit === undefined ? {} : { cpu: cpuLimit.text };
  return {
    requests: { cpu: cpuRequest.text, memory: memoryRequest.text },
    limits: { ...cpu, memory: memoryLimit.text },
  };
}

/**
 * The application starts once `/readyz` succeeds. podsecrets exits after `--start-timeout`, with the cause in its termination
 * message. The kubelet does not reset the count of failures when a container exits, so a threshold near the timeout would kill
 * the restarted container. The threshold is therefore a day, and never reached.
 *
 * CONTRIBUTING.md has the reasons against `lifecycle.postStart`, with which the application would start a second earlier.
 */
function startupProbe({ listen }: InjectOptions): KubeObject {
  const port = probedPort(listen);
  if (port === undefined) return {};
  return {
    startupProbe: {
      httpGet: { path: '/readyz', port },
      periodSeconds: 1,
      failureThreshold: 86_400,
    },
  };
}

/** Kubernetes 1.36. The kubelet kills the other containers without a grace period. */
function restartRules({ exitOnChange }: InjectOptions): KubeObject {
  if (exitOnChange === undefined) return {};
  const exitCodes = { operator: 'In', values: [exitOnChange] };
  return { restartPolicyRules: [{ action: 'RestartAllContainers', exitCodes }] };
}

/** Succeeds while the event loop runs, whatever AWS does. */
function livenessProbe({ listen }: InjectOptions): KubeObject {
  const port = probedPort(listen);
  return port === undefined
    ? {}
    : { livenessProbe: { httpGet: { path: '/livez', port }, periodSeconds: 10 } };
}

/** The port that the kubelet can reach from outside the pod; undefined when there is none. */
export function probedPort(listen: InjectOptions['listen']): number | undefined {
  if (listen === 'off' || listen.port === 0 || /^(127\.|localhost$|::1$)/.test(listen.host)) return undefined;
  return listen.port;
}

/** The user of the distroless image, when the pod spec names none. */
const NONROOT = 65532;

/** `--secret-owner` needs the pod's name and uid, which the downward API gives. */
function environmentOf(options: InjectOptions): KubeObject {
  if (!options.syncSecrets || options.secretOwner === 'retain') return {};
  const variable = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  return { env: [variable('POD_NAME', 'metadata.name'), variable('POD_UID', 'metadata.uid')] };
}

function securityContextOf(pod: KubeObject, options: InjectOptions): KubeObject {
  const user = userOf(pod, options);
  return {
    runAsNonRoot: user?.uid !== 0,
    ...(user === undefined ? {} : { runAsUser: user.uid, runAsGroup: user.gid }),
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  };
}

/** Undefined: the pod's own, or the one that the cluster assigns. */
function userOf(pod: KubeObject, { owner, runAsUser }: InjectOptions): Owner | undefined {
  const fallback = runAsUser === 'none' ? undefined : { uid: NONROOT, gid: NONROOT };
  return owner ?? applicationUser(pod) ?? fallback;
}

/**
 * Whether podsecrets and all the application's containers run as one user. Without its own user podsecrets gets that of
 * the pod, or the one that the cluster assigns to it: so does every container that names none.
 */
export function sharesUser(pod: KubeObject, { runAsUser }: InjectOptions): boolean {
  if (applicationUser(pod) !== undefined) return true;
  const others = asObjects(pod.containers).filter((container) => !isInjectedContainer(container));
  return (
    runAsUser === 'none' && others.every((other) => asObject(other.securityContext)?.runAsUser === undefined)
  );
}

/**
 * The user that all the application's containers run as, when the pod spec says so and it is not root: files of mode 0400
 * are then readable to it, and signals reach it, without any capability.
 */
export function applicationUser(pod: KubeObject): Owner | undefined {
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
