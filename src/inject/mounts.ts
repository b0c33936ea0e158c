/**
 * Selects the part of a volume that each container of a pod mounts.
 *
 * The kubelet mounts a Memory emptyDir world-writable and sticky. With fs.protected_symlinks=1, the default of ordinary nodes, a
 * link in such a directory is followed only for its owner. So podsecrets mounts the whole volume, creates a directory in
 * it and publishes there, and the application mounts that directory. A subPath of a directory sees every change, because
 * podsecrets never replaces the directory itself.
 */

import { asObjects, textOf } from '../core/unknown.ts';
import type { KubeObject } from './manifest.ts';
import type { InjectOptions } from './options.ts';
import { FILES, hasAllFiles, isNamed } from './own-names.ts';
import type { VolumeBinding } from './volumes.ts';

/** Whether a mount has only a part of the files, which the kubelet resolves once. In a volume of the CSI driver every subPath is a part. */
export function isPartial(mount: KubeObject, { isCsi }: VolumeBinding): boolean {
  return !hasAllFiles(mount) || (isCsi && mount.subPath === FILES);
}

/** The volumeMounts of a container of the application, with what the bindings add and change. */
export function mountsWith(
  container: KubeObject,
  bindings: readonly VolumeBinding[],
  options: InjectOptions,
): readonly KubeObject[] {
  return bindings.reduce(
    (mounts, binding) => withBinding(container, mounts, binding, options),
    asObjects(container.volumeMounts),
  );
}

/**
 * A mount of a volume of the CSI driver keeps its path. A mount of a volume that podsecrets added moves to the
 * chosen directory, if there is one, and is removed when `--containers` no longer names the container.
 */
function withBinding(
  container: KubeObject,
  before: readonly KubeObject[],
  binding: VolumeBinding,
  options: InjectOptions,
): readonly KubeObject[] {
  const isOfVolume = (mount: KubeObject) => mount.name === binding.volume;
  const isAt = (dir: string) => (mount: KubeObject) => isOfVolume(mount) && mount.mountPath === dir;
  const named = isNamed(container, options.containers);
  const kept = before
    .filter((mount) => binding.userDefined || named || !isAt(binding.previousDir)(mount))
    .map((mount) => (isOfVolume(mount) ? withFilesSubPath(mount, binding) : mount));
  const moving =
    named && binding.moves && !kept.some(isAt(binding.dir))
      ? kept.find((mount) => isOfVolume(mount) && hasAllFiles(mount))
      : undefined;
  const mounts = kept.map((mount) => (mount === moving ? { ...mount, mountPath: binding.dir } : mount));
  const wanted = named && (!binding.userDefined || options.containers.length > 0);
  if (!wanted || mounts.some(isOfVolume)) return mounts;
  return [...mounts, { name: binding.volume, mountPath: binding.dir, subPath: FILES, readOnly: true }];
}

/** A path in the volume becomes a path in podsecrets' directory; a path that is in this directory already is unchanged. */
function withFilesSubPath(mount: KubeObject, { isCsi }: VolumeBinding): KubeObject {
  const { subPath, subPathExpr, readOnly: _, ...rest } = mount;
  const [key, part] = subPathExpr === undefined ? ['subPath', subPath] : ['subPathExpr', subPathExpr];
  const path = textOf(part) ?? '';
  const isInFiles = !isCsi && path.split('/')[0] === FILES;
  return {
    ...rest,
    [key]: isInFiles ? path : [FILES, path].filter((step) => step !== '').join('/'),
    readOnly: true,
  };
}
