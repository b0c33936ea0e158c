/**
 * Where a pod is scheduled according to its spec: the operating system, and Fargate.
 *
 * A pod names nodes by nodeSelector, or by the required terms of nodeAffinity. Terms are alternatives: a label counts only if
 * every term requires it.
 */

import { asList, asObject, asObjects, valueAt } from '../core/unknown.ts';
import type { KubeObject } from './manifest.ts';
import type { Workload } from './workload.ts';

/** The operating system that the pod requires; `linux` if it requires none. */
export function operatingSystem(pod: KubeObject): string {
  const os = valueAt(pod, 'os', 'name');
  if (typeof os === 'string') return os;
  if (valueAt(pod, 'securityContext', 'windowsOptions', 'hostProcess') === true) return 'windows';
  return requiredLabel(pod, 'kubernetes.io/os') ?? requiredLabel(pod, 'beta.kubernetes.io/os') ?? 'linux';
}

/** The reason why the pod runs on Fargate, for errors; undefined if it does not. */
export function fargateSelector({ metadata }: Workload, pod: KubeObject): string | undefined {
  if (valueAt(metadata, 'labels', FARGATE_PROFILE) !== undefined) return `label ${FARGATE_PROFILE}`;
  if (asObject(pod.nodeSelector)[COMPUTE_TYPE] === 'fargate') return `nodeSelector ${COMPUTE_TYPE}`;
  if (requiredLabel(pod, COMPUTE_TYPE) === 'fargate') return `nodeAffinity ${COMPUTE_TYPE}`;
  return pod.schedulerName === 'fargate-scheduler' ? 'schedulerName fargate-scheduler' : undefined;
}

const FARGATE_PROFILE = 'eks.amazonaws.com/fargate-profile';
const COMPUTE_TYPE = 'eks.amazonaws.com/compute-type';

/** The one value that every node of the pod must have for a label. */
function requiredLabel(pod: KubeObject, label: string): string | undefined {
  const selected = asObject(pod.nodeSelector)[label];
  if (typeof selected === 'string') return selected;
  const required = valueAt(pod, 'affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution');
  const terms = asObjects(asObject(required).nodeSelectorTerms).map((term) =>
    asObjects(term.matchExpressions)
      .filter(
        ({ key, operator, values }) => key === label && operator === 'In' && asList(values).length === 1,
      )
      .map(({ values }) => asList(values)[0]),
  );
  const values = new Set(terms.map(([value]) => value));
  const [only] = values;
  return values.size === 1 && typeof only === 'string' ? only : undefined;
}
