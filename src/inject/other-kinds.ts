/**
 * Objects that `inject` cannot convert, or whose controller rejects the result: reported, because the application would
 * otherwise start without its files, or not at all.
 */

import type { Problem } from '../core/problem.ts';
import { escapeControl } from '../core/text.ts';
import { isObject, valueAt } from '../core/unknown.ts';
import { type KubeObject, manifestProblem } from './manifest.ts';
import type { InjectOptions } from './options.ts';
import { isCsiVolume } from './volumes.ts';
import { missingPodSpec, type Workload, workloadOf } from './workload.ts';

/** Objects with a volume of the driver whose pod spec is not found (an Argo Workflow, a Tekton PipelineRun), and Kustomizations. */
export function unconverted(objects: readonly KubeObject[]): readonly Problem[] {
  return objects.flatMap((object) => {
    if (workloadOf(object) !== undefined) return [];
    const subject = escapeControl(`${String(object.kind)}/${String(valueAt(object, 'metadata', 'name'))}`);
    if (String(object.apiVersion).startsWith('kustomize.config.k8s.io/'))
      return [
        manifestProblem(
          'Kustomization',
          'its patches, names and generators are not applied',
          'Render it first: kubectl kustomize DIR | podsecrets inject',
        ),
      ];
    if (!hasCsiVolume(object)) return [];
    const missing = missingPodSpec(object);
    if (missing !== undefined)
      return [
        manifestProblem(
          subject,
          `it has a volume of secrets-store.csi.k8s.io, but no pod spec in ${missing}: it is not converted`,
          'Move the pod spec there.',
        ),
      ];
    return [
      manifestProblem(
        subject,
        'it has a volume of secrets-store.csi.k8s.io, but its kind is not built into Kubernetes, and it has no pod spec in spec.template: it is not converted',
        'Keep the driver for it, or add podsecrets by hand, as in the pod spec of the README.',
      ),
    ];
  });
}

function hasCsiVolume(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasCsiVolume);
  if (!isObject(value)) return false;
  return isCsiVolume(value) || Object.values(value).some(hasCsiVolume);
}

/** Knative copies only the fields of a pod spec that it supports, and its webhook rejects the others. */
export function knative({ apiVersion, subject }: Workload, { as }: InjectOptions): readonly Problem[] {
  if (!apiVersion.startsWith('serving.knative.dev/') || as === 'none') return [];
  return [
    manifestProblem(
      subject,
      'Knative rejects native sidecars, and other init containers unless its feature kubernetes.podspec-init-containers is enabled',
      'Enable the feature in the ConfigMap config-features and use --as init, or use --as none --exec.',
    ),
  ];
}
