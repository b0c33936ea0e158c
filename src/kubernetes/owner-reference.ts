/**
 * Who a synced Secret dies with: nobody, this pod, or the workload behind it.
 *
 * The pod's name and uid come by the downward API, which needs no permission. The workload is the pod's controller, and for
 * a controller that itself is controlled (ReplicaSet of a Deployment, Job of a CronJob) the one above, so that a rollout
 * does not take the Secret with it. No `blockOwnerDeletion` is set, which would need a permission on the owner.
 */

import type { Environment } from '../core/environment.ts';
import { Problem } from '../core/problem.ts';
import type { KubernetesApi } from './api.ts';
import { toProblem } from './api-problems.ts';
import type { OwnerReference } from './live-secret.ts';
import type { SecretOwner } from './rbac.ts';

/** The owner to set; undefined for `retain`. The workload of a bare pod is the pod itself. */
export async function resolveOwner(
  api: KubernetesApi,
  owner: SecretOwner,
  env: Environment,
  hostname: string,
): Promise<OwnerReference | undefined> {
  switch (owner) {
    case 'retain':
      return undefined;
    case 'pod':
      return await thisPod(api, env, hostname);
    case 'workload':
      return await workload(api, env, hostname);
    default:
      owner satisfies never;
      throw new Error('no such owner');
  }
}

async function thisPod(api: KubernetesApi, env: Environment, hostname: string): Promise<OwnerReference> {
  // A hostname is the pod's name but for hostNetwork, spec.hostname, and names longer than 63 letters.
  const name = env.POD_NAME || hostname;
  const uid = env.POD_UID || (await metadataOf(api, '', 'pods', name)).uid;
  return { apiVersion: 'v1', kind: 'Pod', name, uid };
}

async function workload(api: KubernetesApi, env: Environment, hostname: string): Promise<OwnerReference> {
  const name = env.POD_NAME || hostname;
  const pod = await metadataOf(api, '', 'pods', name);
  if (pod.controller === undefined) return { apiVersion: 'v1', kind: 'Pod', name, uid: pod.uid };
  const { apiVersion, kind } = pod.controller;
  const above =
    kind === 'ReplicaSet' && apiVersion === 'apps/v1'
      ? await metadataOf(api, 'apps', 'replicasets', pod.controller.name)
      : kind === 'Job' && apiVersion === 'batch/v1'
        ? await metadataOf(api, 'batch', 'jobs', pod.controller.name)
        : undefined;
  return above?.controller ?? pod.controller;
}

interface Metadata {
  readonly uid: string;
  readonly controller: OwnerReference | undefined;
}

async function metadataOf(
  api: KubernetesApi,
  group: '' | 'apps' | 'batch',
  resource: 'pods' | 'replicasets' | 'jobs',
  name: string,
): Promise<Metadata> {
  const request = { verb: 'get', group, resource, name, namespace: api.namespace } as const;
  const answer = await api.send(request);
  if (answer.status === 404 && resource === 'pods') throw noSuchPod(name);
  const metadata = answer.status === 200 ? parseMetadata(answer.body) : undefined;
  if (metadata === undefined) throw toProblem(request, answer);
  return metadata;
}

/** Who an object is and who controls it; undefined when it is no object of Kubernetes'. */
function parseMetadata(body: unknown): Metadata | undefined {
  const { metadata } = (body ?? {}) as {
    readonly metadata?: { readonly uid?: unknown; readonly ownerReferences?: unknown } | null;
  };
  if (typeof metadata?.uid !== 'string') return undefined;
  const references: readonly unknown[] = Array.isArray(metadata.ownerReferences)
    ? metadata.ownerReferences
    : [];
  const controller = references
    .map((reference) => (reference ?? {}) as Record<keyof OwnerReference | 'controller', unknown>)
    .find((reference) => reference.controller === true);
  return {
    uid: metadata.uid,
    controller: controller && {
      apiVersion: String(controller.apiVersion),
      kind: String(controller.kind),
      name: String(controller.name),
      uid: String(controller.uid),
    },
  };
}

function noSuchPod(name: string): Problem {
  return new Problem({
    code: 'kubernetes.api',
    subject: `Pod ${name}`,
    message: 'expected the pod we run in, got 404',
    remedy:
      'Give its name by the downward API: env: [{name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, {name: POD_UID, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}].',
  });
}
