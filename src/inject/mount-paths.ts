/**
 * Validates the mount paths of a pod's files.
 *
 * The API server rejects one path for two mounts of a container. It accepts the other mistakes that are checked here, and the container
 * then does not start, or has no files.
 */

import type { Problem } from '../core/problem.ts';
import { quote } from '../core/text.ts';
import { asObjects, textOf, valueAt } from '../core/unknown.ts';
import { type KubeObject, manifestProblem } from './manifest.ts';
import { isPartial, mountsWith } from './mounts.ts';
import type { InjectOptions } from './options.ts';
import { CSI_DRIVER, type VolumeBinding } from './volumes.ts';

/** Why the directories of a pod cannot work. */
export function directoryProblems(
  subject: string,
  pod: KubeObject,
  bindings: readonly VolumeBinding[],
  options: InjectOptions,
): readonly Problem[] {
  const misspelt = misspeltDrivers(subject, pod);
  // The mounts of such a volume are in the way of the files that it should become.
  if (misspelt.length > 0) return misspelt;
  const wrong = bindings.filter(({ dir }) => !isMountPath(dir));
  if (wrong.length > 0) return wrong.map((binding) => notMountPath(subject, binding));
  return containersOf(pod).flatMap((container) =>
    collisions(`${subject} container ${String(container.name)}`, container, bindings, options),
  );
}

/** Kubernetes allows no colon. */
function isMountPath(dir: string): boolean {
  return /^\/[^:]*$/.test(dir) && stepsOf(dir).length > 0 && !stepsOf(dir).includes('..');
}

function notMountPath(subject: string, { dir, userDefined }: VolumeBinding): Problem {
  return manifestProblem(
    subject,
    `expected an absolute path below / without .. and :, got ${quote(dir)}`,
    userDefined
      ? 'Change the mount path in the pod spec.'
      : 'Choose another directory with --config FILE=DIR.',
  );
}

/** Nothing can be mounted below the files: the application mounts them read-only. */
function collisions(
  subject: string,
  container: KubeObject,
  bindings: readonly VolumeBinding[],
  options: InjectOptions,
): readonly Problem[] {
  const mounts = mountsWith(container, bindings, options).map((mount) => ({
    volume: textOf(mount.name) ?? '',
    path: textOf(mount.mountPath) ?? '',
    binding: bindings.find(({ volume }) => volume === mount.name),
  }));
  return mounts.flatMap((one, index) =>
    mounts.slice(index + 1).flatMap((other) => {
      const outer = [one, other].find(
        (mount) => mount.binding !== undefined && isWithin((mount === one ? other : one).path, mount.path),
      );
      if (outer === undefined) return [];
      return [
        collision(subject, outer.path, outer === one ? other : one, outer.binding?.userDefined === true),
      ];
    }),
  );
}

function collision(
  subject: string,
  dir: string,
  inner: { readonly volume: string; readonly path: string; readonly binding: VolumeBinding | undefined },
  kept: boolean,
): Problem {
  const isOurs = inner.binding !== undefined;
  const isSamePath = isWithin(dir, inner.path);
  return manifestProblem(
    subject,
    isOurs
      ? isSamePath
        ? `two mounts are at ${dir}`
        : `directories overlap: ${dir} and ${inner.path}`
      : isSamePath
        ? `volume ${inner.volume} is already mounted at ${dir}`
        : `volume ${inner.volume} is mounted at ${inner.path}, which overlaps ${dir}`,
    kept && (!isOurs || inner.binding.userDefined)
      ? 'Change a mount path in the pod spec.'
      : 'Choose another directory with --config FILE=DIR.',
  );
}

const NEARLY_CSI_DRIVER = /^secrets?-?stores?\.csi\.(x-)?k8s\.io$/;

/** Volumes of a driver that nearly has the name of the Secrets Store CSI driver: they are not converted. */
function misspeltDrivers(subject: string, pod: KubeObject): readonly Problem[] {
  return asObjects(pod.volumes).flatMap((volume) => {
    const driver = textOf(valueAt(volume, 'csi', 'driver'));
    if (driver === undefined || driver === CSI_DRIVER || !NEARLY_CSI_DRIVER.test(driver)) return [];
    const message = `expected the driver ${CSI_DRIVER}, got ${quote(driver)}`;
    return [
      manifestProblem(
        `${subject} volume ${textOf(volume.name) ?? ''}`,
        message,
        'Correct the name of the driver.',
      ),
    ];
  });
}

/** Whether a path is the directory or lies in it. */
function isWithin(path: string, dir: string): boolean {
  const steps = stepsOf(path);
  return stepsOf(dir).every((step, index) => step === steps[index]);
}

function stepsOf(path: string): readonly string[] {
  return path.split('/').filter((step) => step !== '' && step !== '.');
}

/** The kubelet resolves the subPath of a file once, when the container starts. */
export function staleSubPaths(
  subject: string,
  pod: KubeObject,
  bindings: readonly VolumeBinding[],
): readonly Problem[] {
  return containersOf(pod).flatMap((container) =>
    asObjects(container.volumeMounts)
      .filter((mount) => bindings.some((one) => one.volume === mount.name && isPartial(mount, one)))
      .map((mount) =>
        manifestProblem(
          `${subject} container ${String(container.name)}`,
          `the mount of volume ${String(mount.name)} with subPath ${quote(String(mount.subPath ?? mount.subPathExpr))} never gets a new value`,
          'Leave the subPath out, mount a directory and read the file in it (inject adds subPath: files, which shows every change), or use --as init if one value for the life of the pod is enough.',
        ),
      ),
  );
}

/** Directories that --config names for volumes that are already mounted elsewhere. */
export function ignoredDirectories(subject: string, bindings: readonly VolumeBinding[]): readonly Problem[] {
  return bindings
    .filter(({ dir, source }) => source.dir !== undefined && source.dir !== dir)
    .map(({ dir, source, volume }) =>
      manifestProblem(
        `${subject} volume ${volume}`,
        `the directory ${quote(source.dir ?? '')} is ignored: the volume is already mounted at ${dir}`,
        'Leave =DIR out, or change the mount path in the pod spec.',
      ),
    );
}

function containersOf(pod: KubeObject): readonly KubeObject[] {
  return [...asObjects(pod.initContainers), ...asObjects(pod.containers)];
}
