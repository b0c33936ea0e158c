/**
 * The owner of a synced Secret, for garbage collection: none, this pod, or its workload.
 *
 * The pod's name and uid come from the downward API, which needs no permission. The workload is the pod's controller, or that
 * controller's own controller (ReplicaSet of a Deployment, Job of a CronJob), so that a rollout does not delete the Secret.
 * `blockOwnerDeletion` is not set, because it needs a permission on the owner.
 */

import type { SecretOwner } from '../cli/options.ts';
import type { Environment } from '../core/environment.ts';
import { Problem } from '../core/problem.ts';
import { asObject, asObjects } from '../core/unknown.ts';
import type { KubernetesApi } from './api.ts';
import { toProblem } from './api-problems.ts';
import type { OwnerReference } from './live-secret.ts';

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
      return owner satisfies never;
  }
}

async function thisPod(api: KubernetesApi, env: Environment, hostname: string): Promise<OwnerReference> {
  // The hostname is the pod's name except with hostNetwork, spec.hostname, and names longer than 63 characters.
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
  const response = await api.send(request);
  if (response.status === 404 && resource === 'pods') throw noSuchPod(name);
  const metadata = response.status === 200 ? parseMetadata(response.body) : undefined;
  if (metadata === undefined) throw toProblem(request, response);
  return metadata;
}

/** The uid and the controller of an object; undefined if the body is not a Kubernetes object. */
function parseMetadata(body: unknown): Metadata | undefined {
  const metadata = asObject(asObject(body).metadata);
  if (typeof metadata.uid !== 'string') return undefined;
  const controller = asObjects(metadata.ownerReferences).find((reference) => reference.controller === true);
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
    message: 'not found (404): the name of this pod is unknown',
    remedy:
      'Set its name through the downward API: env: [{name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, {name: POD_UID, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}].',
  });
}
