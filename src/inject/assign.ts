/**
 * Assigns configs to the workloads of an input.
 *
 * A config that a volume of a pod refers to is used only for that volume. One that `--config` names and no volume refers to is added to
 * every pod. A class in the input is added to every pod only if no volume refers to a class, of any provider, and there is no
 * `--config`.
 */

import { Problem, throwProblems } from '../core/problem.ts';
import { escapeControl, quote } from '../core/text.ts';
import { asObjects } from '../core/unknown.ts';
import type { KubeObject } from './manifest.ts';
import type { InjectOptions } from './options.ts';
import { isInjected } from './own-names.ts';
import { isVisibleFrom, type Source } from './sources.ts';
import { bindingsOf, classNameOf, isCsiVolume, type VolumeBinding } from './volumes.ts';
import { missingPodSpec, type Workload, workloadOf } from './workload.ts';

/** A workload, and the configs it gets. */
export interface Assignment<B extends VolumeBinding = VolumeBinding> {
  /** The object that creates the pods. */
  readonly object: KubeObject;
  readonly workload: Workload;
  readonly bindings: readonly B[];
}

/**
 * The workloads that get a config. Throws a Problem if there is none, and none was injected before; `others` are the problems
 * of objects that are not converted.
 */
export function assign(
  objects: readonly KubeObject[],
  sources: readonly Source[],
  options: InjectOptions,
  input: { readonly names: string; readonly others: readonly Problem[] },
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
      const wanted = {
        ...options,
        sources: inNamespace(sources),
        defaults: inNamespace(defaults),
        elsewhere: sources.filter((source) => !isVisibleFrom(source, namespace)),
      };
      return { ...one, bindings: bindingsOf(pod, wanted, subject) };
    });

  const byVolume = bind([]).flatMap(({ bindings }) => bindings);
  const usedByVolumes = new Set(
    byVolume.filter((binding) => binding.userDefined).map((binding) => binding.source),
  );
  const several = sources.filter((source) => source.isOneOfSeveral);
  if (several.length > 0 && !several.some((source) => usedByVolumes.has(source)))
    throw ambiguousClass(several);
  const csiVolumes = workloads.flatMap(({ workload: { pod } }) => asObjects(pod.volumes).filter(isCsiVolume));
  const hasCsiVolume = csiVolumes.length > 0;
  const referred = new Set(csiVolumes.map(classNameOf));
  const assigned = bind(defaultSources(sources, usedByVolumes, referred)).filter(
    ({ bindings }) => bindings.length > 0,
  );
  if (assigned.length > 0 || workloads.some(({ workload }) => isInjected(workload.pod))) return assigned;
  // The objects that are not converted explain why no pod was found.
  if (workloads.length === 0) throwProblems(input.others);
  throw new Problem({
    code: 'kubernetes.content',
    subject: escapeControl(input.names),
    message:
      workloads.length === 0
        ? noWorkload(objects)
        : hasCsiVolume
          ? 'the volumes of secrets-store.csi.k8s.io are all for other providers'
          : 'no volume of secrets-store.csi.k8s.io, no SecretProviderClass and no --config found',
    remedy: hasCsiVolume
      ? 'Leave these pods to the driver: podsecrets reads AWS secrets only. Or pass a SecretProviderClass for AWS with --config.'
      : 'Pass the pod specs with -f, and the SecretProviderClass with --config.',
  });
}

function noWorkload(objects: readonly KubeObject[]): string {
  for (const object of objects) {
    const missing = missingPodSpec(object);
    if (missing !== undefined)
      return `no Pod or workload found: a ${String(object.kind)} has its pod spec in ${missing}, and there is none`;
  }
  return 'no Pod or workload found';
}

/** `referred`: the names of the classes that volumes refer to. */
function defaultSources(
  sources: readonly Source[],
  usedByVolumes: ReadonlySet<Source>,
  referred: ReadonlySet<string | undefined>,
): readonly Source[] {
  const files = sources.filter(
    (source) =>
      source.origin === 'file' &&
      !source.isOneOfSeveral &&
      !usedByVolumes.has(source) &&
      (!source.otherProvider || isOfWrongFile(source, sources, referred)),
  );
  const documents = sources.filter((source) => source.origin === 'document' && !source.otherProvider);
  const alone =
    documents.length === 1 &&
    referred.size === 0 &&
    usedByVolumes.size === 0 &&
    sources.every((source) => source.origin !== 'file');
  return alone ? documents : files;
}

/**
 * Whether the source is the first class of a file that has no class for AWS, and no volume refers to a class of the file: the user
 * passed the wrong file, and reading the class reports its provider.
 */
function isOfWrongFile(
  source: Source,
  sources: readonly Source[],
  referred: ReadonlySet<string | undefined>,
): boolean {
  const ofFile = sources.filter(({ file }) => file === source.file);
  return ofFile[0] === source && !ofFile.some(({ name }) => referred.has(name));
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
