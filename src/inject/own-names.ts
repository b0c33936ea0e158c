/**
 * The names of the parts that podsecrets adds to a pod spec, and how `inject` recognizes them when it runs again.
 */

import { asObjects, textOf } from '../core/unknown.ts';
import type { KubeObject } from './manifest.ts';

/** The container that runs as long as the pod. */
export const SIDECAR_NAME = 'podsecrets';
/** The init container. */
export const INIT_NAME = 'podsecrets-init';

/** Containers of an earlier injection. */
export function isInjectedContainer(container: KubeObject): boolean {
  const command = Array.isArray(container.args) ? container.args[0] : undefined;
  return (
    (container.name === SIDECAR_NAME && command === 'sidecar') ||
    (container.name === INIT_NAME && command === 'init')
  );
}

/** Whether a pod spec is the output of an injection. */
export function isInjected(pod: KubeObject): boolean {
  return [...asObjects(pod.containers), ...asObjects(pod.initContainers)].some(isInjectedContainer);
}

/** The application's containers in this order: init containers, containers. */
export function appContainers(pod: KubeObject): readonly KubeObject[] {
  return [...asObjects(pod.initContainers), ...asObjects(pod.containers)].filter(
    (container) => !isInjectedContainer(container),
  );
}

/** Whether a container is one of those that get the files; an empty list names all. */
export function isNamed(container: KubeObject, containers: readonly string[]): boolean {
  return containers.length === 0 || containers.includes(String(container.name));
}

/** The directory that podsecrets creates in the volume. */
export const FILES = 'files';

/** Where podsecrets mounts the one volume, or the parent directory of several. */
export const ROOT = '/mnt/podsecrets';

/** Where podsecrets publishes the files of a volume that it mounts at `root`. */
export function publishedDirectory(root: string): string {
  return `${root}/${FILES}`;
}

/** Whether a mount has all files: the directory by its subPath, or the whole volume, which becomes that. */
export function hasAllFiles(mount: KubeObject): boolean {
  const subPath = textOf(mount.subPath) ?? '';
  return mount.subPathExpr === undefined && (subPath === '' || subPath === FILES);
}
