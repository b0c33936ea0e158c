/**
 * Assigns configs to the workloads of an input.
 *
 * A config that a volume of a pod refers to is used only for that volume. One that `--config` names and no volume refers to is added to
 * every pod. A class in the input is added to every pod only if no volume refers to a class, of any provider, and there is no
 * `--config`.
 */

import { Problem } from '../core/problem.ts';
import { escapeControl, quote } from '../core/text.ts';
import { asObjects } from '../core/unknown.ts';
import type { KubeObject } from './manifest.ts';
import type { InjectOptions } from './options.ts';
import { isInjected } from './own-names.ts';
import { isVisibleFrom, type Source } from './sources.ts';
import { bindingsOf, isCsiVolume, type VolumeBinding } from './volumes.ts';
import { type Workload, workloadOf } from './workload.ts';

/** A workload, and the configs it gets. */
export interface Assignment<B extends VolumeBinding = VolumeBinding> {
  /** The object that creates the pods. */
  readonly object: KubeObject;
  readonly workload: Workload;
  readonly bindings: readonly B[];
}

/** The workloads that get a config. Throws a Problem if there is none, and none was injected before. */
export function assign(
  objects: readonly KubeObject[],
  sources: readonly Source[],
  options: InjectOptions,
  file: string,
): readonly Assignment[] {
  const workloads = objects.flatMap((object) => {
    const workload = workloadOf(object);
    return workload === undefined ? [] : [{ object, workload }];
  });
  const bind = (defaults: readonly Source[]): readonly Assignment[] =>
    workloads.map((one) => {
      const { pod, subject, namespace = options.namespace } = one.workload;
      const inNamespace = (all: readonly Source[]) =>
        all.filter((source) => isVisibleFrom(source, namespace));
      const wanted = { ...options, sources: inNamespace(sources), defaults: inNamespace(defaults) };
      return { ...one, bindings: bindingsOf(pod, wanted, subject) };
    });

  const byVolume = bind([]).flatMap(({ bindings }) => bindings);
  const usedByVolumes = new Set(
    byVolume.filter((binding) => binding.userDefined).map((binding) => binding.source),
  );
  const several = sources.filter((source) => source.isOneOfSeveral);
  if (several.length > 0 && !several.some((source) => usedByVolumes.has(source)))
    throw ambiguousClass(several);
  const hasCsiVolume = workloads.some(({ workload: { pod } }) => asObjects(pod.volumes).some(isCsiVolume));
  const assigned = bind(defaultSources(sources, usedByVolumes, hasCsiVolume)).filter(
    ({ bindings }) => bindings.length > 0,
  );
  if (assigned.length > 0 || workloads.some(({ workload }) => isInjected(workload.pod))) return assigned;
  throw new Problem({
    code: 'kubernetes.content',
    subject: escapeControl(file),
    message:
      workloads.length === 0
        ? 'no Pod or workload found'
        : hasCsiVolume
          ? 'the volumes of secrets-store.csi.k8s.io are all for other providers, and no --config found'
          : 'no volume of secrets-store.csi.k8s.io, no SecretProviderClass and no --config found',
    remedy: 'Pass the pod specs with -f, and the SecretProviderClass with --config.',
  });
}

function defaultSources(
  sources: readonly Source[],
  usedByVolumes: ReadonlySet<Source>,
  hasCsiVolume: boolean,
): readonly Source[] {
  const files = sources.filter(
    (source) => source.origin === 'file' && !source.isOneOfSeveral && !usedByVolumes.has(source),
  );
  const documents = sources.filter((source) => source.origin === 'document' && !source.otherProvider);
  const alone =
    documents.length === 1 &&
    !hasCsiVolume &&
    usedByVolumes.size === 0 &&
    sources.every((source) => source.origin !== 'file');
  return alone ? documents : files;
}

/** No volume names one of them, and none was chosen. */
function ambiguousClass(sources: readonly Source[]): Problem {
  const [first] = sources;
  const names = sources.filter(({ file }) => file === first?.file).map(({ name = '' }) => name);
  const subject = first?.subject ?? '--config';
  return new Problem({
    code: 'config.document',
    subject,
    message: `expected one SecretProviderClass for AWS, or a volume that names one, got ${names.map((name) => quote(name)).join(', ')}`,
    remedy: `Choose one: --config ${subject}#${names[0]}.`,
  });
}
