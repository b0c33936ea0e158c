/**
 * What keeps the containers of a pod from opening the files of podsecrets, by the rules of the kubelet and of the kernel.
 *
 * The kubelet mounts a Memory emptyDir as root's, world-writable and sticky, and makes a subPath that is missing when a
 * container starts with the owner and the mode of the volume. With fs.protected_symlinks=1 the kernel follows a link in a
 * sticky, world-writable directory only for the link's owner, or if the directory has the same owner as the link.
 */

import type { KubeObject } from '../../src/inject/manifest.ts';
import { workloadOf } from '../../src/inject/workload.ts';
import type { ContainerView } from './inject.ts';
import { mayFollow } from './protected-symlinks.ts';

export interface PodView {
  readonly initContainers?: readonly ContainerView[];
  readonly containers: readonly ContainerView[];
  readonly volumes?: readonly { readonly name: string; readonly emptyDir?: { readonly medium?: string } }[];
}

interface Directory {
  readonly uid: number;
  readonly mode: number;
}

const BY_KUBELET: Directory = { uid: 0, mode: 0o1777 };
/** A user that owns nothing. */
const READER = 1000;

/** The faults of every pod in the objects. */
export function mountFaultsIn(objects: readonly unknown[]): readonly string[] {
  return objects.flatMap((object) => {
    const pod = workloadOf((object ?? {}) as KubeObject)?.pod;
    return pod === undefined ? [] : mountFaults(pod as unknown as PodView);
  });
}

/** A sentence for each mount that does not show the files, and for each rule that the pod breaks; none without podsecrets. */
export function mountFaults(pod: PodView): readonly string[] {
  const { initContainers = [], containers, volumes = [] } = pod;
  const started = [...initContainers, ...containers];
  const own = started.filter(isOwn);
  if (own.length === 0) return [];
  const faults = own[0] === initContainers[0] ? [] : ['podsecrets is not the first init container'];
  /** The files of each volume, by path. */
  const tree = new Map(volumes.map(({ name }) => [name, new Map([['', BY_KUBELET]])]));
  const published = new Map<string, { readonly path: string; readonly uid: number }>();
  for (const container of started) {
    if (isOwn(container)) faults.push(...publish(container, pod, tree, published));
    else faults.push(...open(container, tree, published, own));
  }
  return faults;
}

type Tree = ReadonlyMap<string, Map<string, Directory>>;
type Published = Map<string, { readonly path: string; readonly uid: number }>;

function publish(container: ContainerView, pod: PodView, tree: Tree, published: Published): string[] {
  const { name, args, volumeMounts = [], securityContext } = container;
  const uid = Number(securityContext.runAsUser);
  return args.flatMap((argument) => {
    const dir = /^--config=.*=(.*)$/.exec(argument)?.[1];
    if (dir === undefined) return [];
    const mount = volumeMounts.find(({ mountPath }) => `${dir}/`.startsWith(`${mountPath}/`));
    if (mount === undefined) return [`${name} publishes ${dir}, where it mounts nothing`];
    const path = dir.slice(mount.mountPath.length + 1);
    const directories = tree.get(mount.name) ?? new Map<string, Directory>();
    if (!directories.has(path)) directories.set(path, { uid, mode: 0o755 });
    published.set(mount.name, { path, uid });
    const volume = pod.volumes?.find((one) => one.name === mount.name);
    return [
      ...(path === 'files' ? [] : [`${name} publishes "${path}" of the volume ${mount.name}`]),
      ...(mount.subPath === undefined ? [] : [`${name} mounts ${mount.subPath} of ${mount.name}`]),
      ...(mount.readOnly === true ? [`${name} cannot write to ${mount.name}`] : []),
      ...(volume?.emptyDir?.medium === 'Memory' ? [] : [`the volume ${mount.name} is not in memory`]),
    ];
  });
}

function open(
  { name, volumeMounts = [] }: ContainerView,
  tree: Tree,
  published: Published,
  own: readonly ContainerView[],
): string[] {
  const once = own.every(({ args }) => args[0] === 'init');
  return volumeMounts.flatMap((mount) => {
    const directories = tree.get(mount.name);
    const { path, uid } = published.get(mount.name) ?? {};
    const subPath = mount.subPath ?? mount.subPathExpr ?? '';
    const isFile = once && path !== undefined && subPath.startsWith(`${path}/`);
    if (isFile && mount.readOnly === true) return [];
    if (directories !== undefined && !directories.has(subPath)) directories.set(subPath, BY_KUBELET);
    if (path === undefined || uid === undefined) return [];
    const directory = directories?.get(subPath) ?? BY_KUBELET;
    return [
      ...(subPath === path
        ? []
        : [`${name} mounts "${subPath}" of ${mount.name}, the files are in "${path}"`]),
      ...(mayFollow({ reader: READER, link: { uid }, directory })
        ? []
        : [`${name} may not follow links in "${subPath}"`]),
      ...(mount.readOnly === true ? [] : [`${name} can write to ${mount.name}`]),
    ];
  });
}

function isOwn({ name, args = [] }: ContainerView): boolean {
  return /^podsecrets(-init)?$/.test(name) && (args[0] === 'init' || args[0] === 'sidecar');
}
