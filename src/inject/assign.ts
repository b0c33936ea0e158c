/**
 * Which configs go to which workloads of an input.
 *
 * A config that serves a volume of a pod serves only that. One that was named, and that no volume refers to, is meant for
 * every pod. A class that lies in the input is meant for every pod only when nothing else says what is wanted.
 */

import { Problem } from '../core/problem.ts';
import { escapeControl } from '../core/text.ts';
import type { KubeObject } from './manifest.ts';
import type { InjectOptions } from './options.ts';
import { isInjected } from './own-names.ts';
import { type Source, serves } from './sources.ts';
import { bindingsOf, type VolumeBinding } from './volumes.ts';
import { type Workload, workloadOf } from './workload.ts';

/** A workload, and the configs it gets. */
export interface Assignment<B extends VolumeBinding = VolumeBinding> {
  /** The object that makes the pods. */
  readonly object: KubeObject;
  readonly workload: Workload;
  readonly bindings: readonly B[];
}

/** The workloads that get something. Throws a Problem when there is nothing to do, and nothing was done before. */
export function assign(
  objects: readonly KubeObject[],
  sources: readonly Source[],
  choices: InjectOptions,
  file: string,
): readonly Assignment[] {
  const workloads = objects.flatMap((object) => {
    const workload = workloadOf(object);
    return workload === undefined ? [] : [{ object, workload }];
  });
  const bind = (forAll: readonly Source[]): readonly Assignment[] =>
    workloads.map((one) => {
      const { pod, subject, namespace = choices.namespace } = one.workload;
      const near = (all: readonly Source[]) => all.filter((source) => serves(source, namespace));
      const wanted = { ...choices, sources: near(sources), forAll: near(forAll) };
      return { ...one, bindings: bindingsOf(pod, wanted, subject) };
    });

  const asked = bind([]).flatMap(({ bindings }) => bindings);
  const serving = new Set(asked.filter((binding) => binding.kept).map((binding) => binding.source));
  const assigned = bind(sourcesForAll(sources, serving)).filter(({ bindings }) => bindings.length > 0);
  if (assigned.length > 0 || workloads.some(({ workload }) => isInjected(workload.pod))) return assigned;
  throw new Problem({
    code: 'kubernetes.content',
    subject: escapeControl(file),
    message:
      workloads.length === 0
        ? 'expected a Pod or something that makes pods, got none'
        : 'expected a volume of secrets-store.csi.k8s.io, a SecretProviderClass or --config, got none of them',
    remedy: 'Give the pod specs with -f, and the SecretProviderClass with --config.',
  });
}

function sourcesForAll(sources: readonly Source[], serving: ReadonlySet<Source>): readonly Source[] {
  const files = sources.filter((source) => source.origin === 'file' && !serving.has(source));
  const documents = sources.filter((source) => source.origin === 'document' && !source.foreign);
  const alone =
    documents.length === 1 && serving.size === 0 && sources.every((source) => source.origin !== 'file');
  return alone ? documents : files;
}
