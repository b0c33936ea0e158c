/**
 * Requests to the Kubernetes API server: one verb on one named object each.
 *
 * Uses node:https, which the AWS SDK has loaded already. The official client, even if loaded only with --sync-secrets, costs more than
 * the rest of a sidecar: @kubernetes/client-node 2.0.1 adds 4.0 MiB to the program (everything else:
 * 1.2 MiB), 165 ms and 54 MiB of resident memory (Node 26, minified, median of five: 190 ms and 94 MiB against 17 ms and
 * 40 MiB of an empty program; node:https alone: 35 ms and 48 MiB). podsecrets uses five paths and four verbs of the API.
 */

import { Agent } from 'node:https';
import type { Environment } from '../core/environment.ts';
import { createSemaphore } from '../core/limits.ts';
import { isOpenFilesCode, OPEN_FILES_REMEDY } from '../core/open-files.ts';
import { Problem } from '../core/problem.ts';
import { parseJson } from '../core/unknown.ts';
import { freeMemory, sendRequest } from '../http/request.ts';
import { isWithinLimits } from '../http/response-shape.ts';
import { certificateRemedy, isHandshakeCode, isTlsCode } from '../http/tls-code.ts';
import type { KubernetesRequest, KubernetesResponse } from './api-problems.ts';
import { type Cluster, inCluster } from './in-cluster.ts';

/** The API server, for requests in one namespace. */
export interface KubernetesApi {
  readonly namespace: string;
  /** Sends one request. Resolves with any response of the server; throws a Problem if there is none. */
  send(request: KubernetesRequest, body?: string): Promise<KubernetesResponse>;
  /** Creates a SelfSubjectAccessReview for the access, which every service account may create. */
  review(access: AccessAttributes): Promise<KubernetesResponse>;
  /** The version of the API server, which every service account may read. */
  version(): Promise<KubernetesResponse>;
  close(): void;
}

/** The environment, and the signal that ends requests. */
export interface ApiOptions {
  readonly env: Environment;
  readonly signal: AbortSignal;
  /** Where the service account volume is mounted. Default: where the kubelet mounts it. */
  readonly serviceAccountDirectory?: string;
}

/** The attributes of an access review; without a name: any name. */
interface AccessAttributes {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly name: string | undefined;
}

/** The API of the cluster that this pod runs in. Connections are opened on demand; `close` ends them. */
export async function openApi({ env, signal, serviceAccountDirectory }: ApiOptions): Promise<KubernetesApi> {
  const cluster = inCluster(env, serviceAccountDirectory);
  // Four at a time: a config has a handful of Secrets, and the API server limits the requests of a service account.
  // In an array: with an empty text Node would trust its default authorities.
  const agent = new Agent({ keepAlive: true, maxSockets: 4, ca: [cluster.ca] });
  const memory = createSemaphore(MEMORY_BUDGET);
  const send = async (outgoing: Outgoing): Promise<KubernetesResponse> => {
    const token = cluster.token();
    try {
      return await exchange(cluster, agent, token, outgoing, memory, signal);
    } catch (cause) {
      signal.throwIfAborted();
      throw noResponse(cluster, cause);
    }
  };
  return {
    namespace: cluster.namespace,
    send: (request, body) =>
      send({
        method: request.verb.toUpperCase(),
        path: pathOf(request),
        type: request.verb !== 'patch' ? JSON_TYPE : request.patch === 'merge' ? MERGE : APPLY,
        body,
      }),
    review: (access) =>
      send({
        method: 'POST',
        path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        type: JSON_TYPE,
        body: reviewBody(access, cluster.namespace),
      }),
    version: () => send({ method: 'GET', path: '/version', type: JSON_TYPE, body: undefined }),
    close: () => agent.destroy(),
  };
}

/** Server-side apply; its body may be JSON, which is YAML. */
const APPLY = 'application/apply-patch+yaml';
const MERGE = 'application/merge-patch+json';
const JSON_TYPE = 'application/json';

interface Outgoing {
  readonly method: string;
  readonly path: string;
  readonly type: string;
  readonly body: string | undefined;
}

/** Milliseconds. The API server ends write requests after 34 s; normally they take milliseconds. */
const TIMEOUT = 10_000;
/** A Secret has at most 1 MiB, which is 1.4 MiB of base64; the rest is managedFields and annotations. */
const MAX_RESPONSE = 4 * 1_048_576;
/** A Status of the API server, with its message. */
const MAX_ERROR = 65_536;
/** Bytes of all responses that are read at the same time: the memory limit of the container is 128 MiB. */
const MEMORY_BUDGET = MAX_RESPONSE;
/** Elements of a response: a Secret of ten thousand keys, each in `data` and in the fields of one manager. */
const MAX_ELEMENTS = 65_536;

async function exchange(
  cluster: Cluster,
  agent: Agent,
  token: string,
  { method, path, type, body }: Outgoing,
  memory: ReturnType<typeof createSemaphore>,
  signal: AbortSignal,
): Promise<KubernetesResponse> {
  const response = await sendRequest({
    protocol: 'https:',
    host: cluster.host,
    port: cluster.port,
    method,
    path,
    headers: {
      accept: JSON_TYPE,
      authorization: `Bearer ${token}`,
      'user-agent': 'podsecrets',
      ...(body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) }),
    },
    body,
    agent,
    largestBody: MAX_RESPONSE,
    largestErrorBody: MAX_ERROR,
    reserve: (bytes, signal) => memory.take(signal, bytes),
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]),
  });
  const retryAfter = response.headers['retry-after'] ?? '';
  const bytes = response.body;
  const parsed = isWithinLimits(bytes, MAX_ELEMENTS) ? parseJson(new TextDecoder().decode(bytes)) : undefined;
  freeMemory(bytes);
  return {
    status: response.status,
    body: parsed,
    retryAfter: /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) * 1000 : undefined,
  };
}

function pathOf(request: KubernetesRequest): string {
  const root = request.group === '' ? '/api/v1' : `/apis/${request.group}/v1`;
  const path = [root, 'namespaces', request.namespace, request.resource, request.name].map((part, index) =>
    index === 0 ? part : encodeURIComponent(part),
  );
  // Forced only for a Secret that is taken over from the CSI driver; otherwise a field of another manager is a conflict.
  const force = request.patch === 'forcedApply' ? '&force=true' : '';
  const query = request.verb === 'patch' ? `?fieldManager=podsecrets&fieldValidation=Strict${force}` : '';
  return `${path.join('/')}${query}`;
}

function reviewBody({ verb, group, resource, name }: AccessAttributes, namespace: string): string {
  const resourceAttributes = { namespace, verb, group, resource, ...(name === undefined ? {} : { name }) };
  return JSON.stringify({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes },
  });
}

function noResponse(cluster: Cluster, cause: unknown): Problem {
  const code = (cause as NodeJS.ErrnoException).code;
  const timedOut = (cause as Error).name === 'TimeoutError' || code === 'ABORT_ERR';
  const isUntrusted = isTlsCode(code) && !isHandshakeCode(code);
  return new Problem({
    code: 'kubernetes.api',
    subject: `API server ${cluster.host}:${cluster.port}`,
    message: timedOut
      ? `no response within ${TIMEOUT / 1000}s`
      : `no response: ${code ?? (cause as Error).message}`,
    remedy: isUntrusted
      ? (certificateRemedy(code, 'correct KUBERNETES_SERVICE_HOST.') ?? OTHER_AUTHORITY)
      : isOpenFilesCode(code)
        ? OPEN_FILES_REMEDY
        : 'Wait: podsecrets retries. If this persists, check the network policies.',
    retry: !isUntrusted,
    cause,
  });
}

const OTHER_AUTHORITY =
  'Its certificate is not signed by the ca.crt of the service account volume: mount the one of this cluster.';
