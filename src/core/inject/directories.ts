/**
 * Where the files of a pod are to be, and what stands in the way there.
 *
 * The API server refuses one path for two mounts of a container; the rest of this it lets through, to a container that then
 * does not start, or to files that nobody sees.
 */

import { Problem } from '../problem.ts';
import { quoted } from '../text.ts';
import type { Binding } from './binding.ts';
import type { Choices } from './choices.ts';
import { type Mapping, mappingsOf, textOf } from './data.ts';

/** What makes the directories of a pod impossible. */
export function directoryProblems(
  subject: string,
  pod: Mapping,
  bindings: readonly Binding[],
  choices: Choices,
): readonly Problem[] {
  const wrong = bindings.filter(({ dir }) => !isMountPath(dir));
  if (wrong.length > 0) return wrong.map(({ dir }) => notMountPath(subject, dir));
  return [
    ...shared(subject, bindings),
    ...containersOf(pod).flatMap((container) => taken(subject, container, bindings, choices)),
  ];
}

/** The last `=` of `--config FILE=DIR` divides, and Kubernetes divides at a colon. */
function isMountPath(dir: string): boolean {
  return /^\/[^:=]*$/.test(dir) && stepsOf(dir).length > 0 && !stepsOf(dir).includes('..');
}

function notMountPath(subject: string, dir: string): Problem {
  return content(
    subject,
    `expected an absolute path below / without .., : and =, got ${quoted(dir)}`,
    'Choose another directory with --config FILE=DIR.',
  );
}

/** In a directory of one volume, a mount of another has no place: an application sees it read-only. */
function shared(subject: string, bindings: readonly Binding[]): readonly Problem[] {
  return bindings.flatMap(({ dir }, index) => {
    const others = [
      ...bindings.slice(0, index).map((other) => other.dir),
      ...bindings.map((other) => other.configDir),
    ];
    const other = others.find((path) => isWithin(dir, path) || isWithin(path, dir));
    if (other === undefined) return [];
    return [
      content(
        subject,
        `expected directories apart from each other, got ${dir} and ${other}`,
        'Give each config a directory of its own: --config FILE=DIR.',
      ),
    ];
  });
}

function taken(
  subject: string,
  container: Mapping,
  bindings: readonly Binding[],
  choices: Choices,
): readonly Problem[] {
  const name = String(container.name);
  if (choices.containers.length > 0 && !choices.containers.includes(name)) return [];
  const mounts = mappingsOf(container.volumeMounts);
  return bindings
    .filter((binding) => !binding.kept && !mounts.some((mount) => mount.name === binding.volume))
    .filter(({ dir }) => mounts.some((mount) => isWithin(textOf(mount.mountPath) ?? '', dir)))
    .map(({ dir }) =>
      content(
        `${subject} container ${name}`,
        `expected nothing mounted at ${dir} or below, got another volume`,
        'Choose another directory with --config FILE=DIR.',
      ),
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

/** The kubelet resolves a subPath once, when the container starts. */
export function subPaths(subject: string, pod: Mapping, bindings: readonly Binding[]): readonly Problem[] {
  return containersOf(pod).flatMap((container) =>
    mappingsOf(container.volumeMounts)
      .filter((mount) => bindings.some((binding) => binding.volume === mount.name))
      .filter((mount) => mount.subPath !== undefined || mount.subPathExpr !== undefined)
      .map((mount) =>
        content(
          `${subject} container ${String(container.name)}`,
          `expected a mount of the whole volume ${String(mount.name)}, got subPath ${quoted(String(mount.subPath ?? mount.subPathExpr))}: it never shows a new value`,
          'Mount the directory and read the file in it, or use --as init if one value for the life of the pod is enough.',
        ),
      ),
  );
}

/** Directories that were named for volumes that have their place already. */
export function ignoredDirectories(subject: string, bindings: readonly Binding[]): readonly Problem[] {
  return bindings
    .filter(({ dir, source }) => source.dir !== undefined && source.dir !== dir)
    .map(({ dir, source, volume }) =>
      content(
        `${subject} volume ${volume}`,
        `expected no directory for a volume that is mounted at ${dir} already, got ${quoted(source.dir ?? '')}`,
        'Leave =DIR out, or change the mount path in the pod spec.',
      ),
    );
}

function containersOf(pod: Mapping): readonly Mapping[] {
  return [...mappingsOf(pod.initContainers), ...mappingsOf(pod.containers)];
}

function content(subject: string, message: string, remedy: string): Problem {
  return new Problem({ code: 'kubernetes.content', subject, message, remedy });
}
