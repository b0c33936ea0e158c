/**
 * Finds the pod specs in the objects of a manifest.
 *
 * Every Kubernetes kind with a pod spec, custom ones like a Deployment, and lists of them, also nested.
 * Other objects are not changed.
 */

import { asObject, asObjects, isObject, textOf, valueAt } from '../core/unknown.ts';
import { type KubeObject, withValueAt } from './manifest.ts';

/** A pod, or an object that creates pods. */
export interface Workload {
  /** `Deployment/web`, as errors name it. */
  readonly subject: string;
  readonly kind: string;
  readonly apiVersion: string;
  readonly namespace: string | undefined;
  /** Metadata of the pods, not of the object that creates them. */
  readonly metadata: KubeObject;
  readonly pod: KubeObject;
  /** The names of a StatefulSet's volumeClaimTemplates, which become volumes of its pods. */
  readonly claims: readonly string[];
}

/** The objects of a document: the items of a List, in depth, or the document itself. */
export function objectsOf(document: unknown): readonly KubeObject[] {
  if (!isObject(document)) return [];
  return isList(document) ? (document.items as readonly unknown[]).flatMap(objectsOf) : [document];
}

/** The document with every object replaced by the result of `change`, and items of Lists left out where that is undefined. */
export function mapObjects(
  document: unknown,
  change: (object: KubeObject) => KubeObject | undefined,
): unknown {
  if (!isObject(document)) return document;
  if (!isList(document)) return change(document);
  return {
    ...document,
    items: (document.items as readonly unknown[])
      .map((item) => mapObjects(item, change))
      .filter((item) => item !== undefined),
  };
}

/** A `List`, or a typed list of the API, such as `DeploymentList`. */
function isList(object: KubeObject): boolean {
  return String(object.kind).endsWith('List') && Array.isArray(object.items);
}

/** The workload that an object is; undefined if it creates no pods. */
export function workloadOf(object: KubeObject): Workload | undefined {
  const template = templatePath(object);
  const pod = template && valueAt(object, ...template, 'spec');
  if (template === undefined || !isObject(pod)) return undefined;
  const kind = String(object.kind);
  const name =
    valueAt(object, 'metadata', 'name') ?? valueAt(object, 'metadata', 'generateName') ?? '(no name)';
  return {
    subject: `${kind}/${String(name)}`,
    kind,
    apiVersion: String(object.apiVersion),
    namespace: textOf(valueAt(object, 'metadata', 'namespace')),
    metadata: asObject(valueAt(object, ...template, 'metadata')),
    pod,
    claims: asObjects(valueAt(object, 'spec', 'volumeClaimTemplates')).map((claim) =>
      String(valueAt(claim, 'metadata', 'name')),
    ),
  };
}

/**
 * The object without the fields that the API server sets, which `kubectl get -o yaml` prints. With a resourceVersion an apply
 * is a conflict as soon as anything changes; the annotation would hold the spec from before the injection. Ephemeral containers
 * are added by `kubectl debug`: a pod cannot be created with them.
 */
export function withoutServerFields(object: KubeObject): KubeObject {
  const { status: _, ...given } = object;
  const rest =
    given.kind === 'Pod' && valueAt(given, 'spec', 'ephemeralContainers') !== undefined
      ? withValueAt(given, ['spec', 'ephemeralContainers'], undefined)
      : given;
  const metadata = asObject(object.metadata);
  const kept = Object.fromEntries(Object.entries(metadata).filter(([name]) => !SERVER_METADATA.has(name)));
  const annotations = asObject(metadata.annotations);
  if (annotations[LAST_APPLIED] !== undefined) {
    const { [LAST_APPLIED]: __, ...others } = annotations;
    kept.annotations = Object.keys(others).length === 0 ? undefined : others;
  }
  return object.metadata === undefined ? rest : { ...rest, metadata: kept };
}

const SERVER_METADATA: ReadonlySet<string> = new Set([
  'creationTimestamp',
  'generation',
  'managedFields',
  'resourceVersion',
  'selfLink',
  'uid',
]);

/** kubectl's own record of the object, as it was applied last. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** The object with another pod spec. */
export function withPod(object: KubeObject, pod: KubeObject): KubeObject {
  const template = templatePath(object);
  return template === undefined ? object : withValueAt(object, [...template, 'spec'], pod);
}

/** Where a kind of Kubernetes has its pod spec, such as `spec.template.spec`, if the object has none there; else undefined. */
export function missingPodSpec(object: KubeObject): string | undefined {
  const template = templates.get(String(object.kind));
  return template === undefined || workloadOf(object) !== undefined
    ? undefined
    : [...template, 'spec'].join('.');
}

/** Custom resources that create pods (an Argo Rollout) have their template where a Deployment has it. */
function templatePath(object: KubeObject): readonly string[] | undefined {
  if (typeof object.kind !== 'string') return undefined;
  const custom = Array.isArray(valueAt(object, ...IN_SPEC, 'spec', 'containers')) ? IN_SPEC : undefined;
  return templates.get(object.kind) ?? custom;
}

const IN_SPEC = ['spec', 'template'];
const templates = new Map<string, readonly string[]>([
  ['Pod', []],
  ['PodTemplate', ['template']],
  ['Deployment', IN_SPEC],
  ['StatefulSet', IN_SPEC],
  ['DaemonSet', IN_SPEC],
  ['ReplicaSet', IN_SPEC],
  ['ReplicationController', IN_SPEC],
  ['Job', IN_SPEC],
  ['CronJob', ['spec', 'jobTemplate', ...IN_SPEC]],
  // A custom resource of KEDA.
  ['ScaledJob', ['spec', 'jobTargetRef', 'template']],
]);
