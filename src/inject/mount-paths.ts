/**
 * Where the files of a pod are to be, and what stands in the way there.
 *
 * The API server refuses one path for two mounts of a container; the rest of this it lets through, to a container that then
 * does not start, or to files that nobody sees.
 */

import { Problem } from '../core/problem.ts';
import { quote } from '../core/text.ts';
import { asObjects, textOf } from '../core/unknown.ts';
import type { KubeObject } from './manifest.ts';
import { isPartial, mountsWith } from './mounts.ts';
import type { InjectOptions } from './options.ts';
import type { VolumeBinding } from './volumes.ts';

/** What makes the directories of a pod impossible. */
export function directoryProblems(
  subject: string,
  pod: KubeObject,
  bindings: readonly VolumeBinding[],
  choices: InjectOptions,
): readonly Problem[] {
  const wrong = bindings.filter(({ dir }) => !isMountPath(dir));
  if (wrong.length > 0) return wrong.map(({ dir }) => notMountPath(subject, dir));
  return containersOf(pod).flatMap((container) =>
    collisions(`${subject} container ${String(container.name)}`, container, bindings, choices),
  );
}

/** Kubernetes divides at a colon. */
function isMountPath(dir: string): boolean {
  return /^\/[^:]*$/.test(dir) && stepsOf(dir).length > 0 && !stepsOf(dir).includes('..');
}

function notMountPath(subject: string, dir: string): Problem {
  return content(
    subject,
    `expected an absolute path below / without .. and :, got ${quote(dir)}`,
    'Choose another directory with --config FILE=DIR.',
  );
}

/** Nothing can be mounted in a directory of files: an application sees it read-only. */
function collisions(
  subject: string,
  container: KubeObject,
  bindings: readonly VolumeBinding[],
  choices: InjectOptions,
): readonly Problem[] {
  const mounts = mountsWith(container, bindings, choices).map((mount) => ({
    path: textOf(mount.mountPath) ?? '',
    binding: bindings.find(({ volume }) => volume === mount.name),
  }));
  return mounts.flatMap((one, index) =>
    mounts.slice(index + 1).flatMap((other) => {
      const outer = [one, other].find(
        (mount) => mount.binding !== undefined && isWithin((mount === one ? other : one).path, mount.path),
      );
      if (outer === undefined) return [];
      return [collision(subject, outer.path, outer === one ? other : one, outer.binding?.kept === true)];
    }),
  );
}

function collision(
  subject: string,
  dir: string,
  inner: { readonly path: string; readonly binding: VolumeBinding | undefined },
  kept: boolean,
): Problem {
  const isOurs = inner.binding !== undefined;
  return content(
    subject,
    isOurs
      ? `expected directories apart from each other, got ${dir} and ${inner.path}`
      : `expected nothing mounted at ${dir} or below, got another volume at ${inner.path}`,
    kept && (!isOurs || inner.binding.kept)
      ? 'Change a mount path in the pod spec.'
      : 'Choose another directory with --config FILE=DIR.',
  );
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
export function subPaths(
  subject: string,
  pod: KubeObject,
  bindings: readonly VolumeBinding[],
): readonly Problem[] {
  return containersOf(pod).flatMap((container) =>
    asObjects(container.volumeMounts)
      .filter((mount) => bindings.some((one) => one.volume === mount.name && isPartial(mount, one)))
      .map((mount) =>
        content(
          `${subject} container ${String(container.name)}`,
          `expected a mount of all files of the volume ${String(mount.name)}, got subPath ${quote(String(mount.subPath ?? mount.subPathExpr))}: it never shows a new value`,
          'Leave the subPath out, mount a directory and read the file in it (inject adds subPath: files, which shows every change), or use --as init if one value for the life of the pod is enough.',
        ),
      ),
  );
}

/** Directories that were named for volumes that have their place already. */
export function ignoredDirectories(subject: string, bindings: readonly VolumeBinding[]): readonly Problem[] {
  return bindings
    .filter(({ dir, source }) => source.dir !== undefined && source.dir !== dir)
    .map(({ dir, source, volume }) =>
      content(
        `${subject} volume ${volume}`,
        `expected no directory for a volume that is mounted at ${dir} already, got ${quote(source.dir ?? '')}`,
        'Leave =DIR out, or change the mount path in the pod spec.',
      ),
    );
}

function containersOf(pod: KubeObject): readonly KubeObject[] {
  return [...asObjects(pod.initContainers), ...asObjects(pod.containers)];
}

function content(subject: string, message: string, remedy: string): Problem {
  return new Problem({ code: 'kubernetes.content', subject, message, remedy });
}
