/**
 * Requests to the Kubernetes API server: one verb on one named object each.
 *
 * By hand over node:https, which reading AWS has loaded already. The official client could be loaded only with
 * --sync-secrets too, but what it costs then is more than the rest of a sidecar: @kubernetes/client-node 2.0.1 adds 4.0 MiB
 * to the program (all else: 1.2 MiB), 165 ms and 54 MiB of resident memory (Node 26, minified, median of five: 190 ms and
 * 94 MiB against 17 ms and 40 MiB of an empty program; node:https alone: 35 ms and 48 MiB). What is used of the API are
 * five paths and four verbs.
 */

import { Agent, request as httpsRequest } from 'node:https';
import { Problem } from '../core/problem.ts';
import type { KubernetesRequest, KubernetesResponse } from './api-problems.ts';
import type { Cluster } from './in-cluster.ts';

/** The API server, seen from one namespace. */
export interface KubernetesApi {
  readonly namespace: string;
  /** One request. Every answer of the server's is an answer here; no answer at all is a Problem. */
  send(request: KubernetesRequest, body?: string): Promise<KubernetesResponse>;
  /** Whether the API server would let us do it, as a SelfSubjectAccessReview, which every service account may make. */
  review(access: AccessAttributes): Promise<KubernetesResponse>;
  close(): void;
}

/** As RBAC names it; without a name: any. */
export interface AccessAttributes {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly name: string | undefined;
}

/** Opens connections when they are needed; `close` ends them. */
export function openApi(cluster: Cluster, signal: AbortSignal): KubernetesApi {
  // Four at a time: a config has a handful of Secrets, and the API server counts the requests of a service account.
  const agent = new Agent({ keepAlive: true, maxSockets: 4, ca: cluster.ca });
  const send = async (outgoing: Outgoing): Promise<KubernetesResponse> => {
    const token = await cluster.token();
    try {
      return await exchange(cluster, agent, token, outgoing, signal);
    } catch (cause) {
      signal.throwIfAborted();
      throw noAnswer(cluster, cause);
    }
  };
  return {
    namespace: cluster.namespace,
    send: (request, body) =>
      send({
        method: request.verb.toUpperCase(),
        path: pathOf(request),
        type: request.verb === 'patch' ? APPLY : JSON_TYPE,
        body,
      }),
    review: (access) =>
      send({
        method: 'POST',
        path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        type: JSON_TYPE,
        body: reviewBody(access, cluster.namespace),
      }),
    close: () => agent.destroy(),
  };
}

/** JSON is YAML; this type says "server-side apply". */
const APPLY = 'application/apply-patch+yaml';
const JSON_TYPE = 'application/json';

interface Outgoing {
  readonly method: string;
  readonly path: string;
  readonly type: string;
  readonly body: string | undefined;
}

/** The API server's own limit for requests that change something is 34 s; a healthy one answers in milliseconds. */
const TIMEOUT = 10_000;
/** A Secret holds 1 MiB at most, which is 1.4 MiB of base64; the rest is managedFields and annotations. */
const LARGEST_ANSWER = 4 * 1_048_576;

function exchange(
  cluster: Cluster,
  agent: Agent,
  token: string,
  { method, path, type, body }: Outgoing,
  signal: AbortSignal,
): Promise<KubernetesResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<KubernetesResponse>();
  const outgoing = httpsRequest(
    {
      agent,
      host: cluster.host,
      port: cluster.port,
      path,
      method,
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]),
      headers: {
        accept: JSON_TYPE,
        authorization: `Bearer ${token}`,
        'user-agent': 'podsecrets',
        ...(body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) }),
      },
    },
    (incoming) => {
      const chunks: Buffer[] = [];
      let length = 0;
      incoming.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > LARGEST_ANSWER) outgoing.destroy(new Error('the answer is too long'));
        else chunks.push(chunk);
      });
      incoming.on('error', reject);
      incoming.on('end', () => {
        const seconds = Number(incoming.headers['retry-after']);
        resolve({
          status: incoming.statusCode ?? 0,
          body: parsed(Buffer.concat(chunks)),
          retryAfter: seconds > 0 ? seconds * 1000 : undefined,
        });
      });
    },
  );
  outgoing.on('error', reject);
  // A change of protocol (101) ends the connection without an error, and without an answer.
  outgoing.on('close', () => reject(new Error('none')));
  outgoing.end(body);
  return promise;
}

function pathOf(request: KubernetesRequest): string {
  const root = request.group === '' ? '/api/v1' : `/apis/${request.group}/v1`;
  const path = [root, 'namespaces', request.namespace, request.resource, request.name].map((part, index) =>
    index === 0 ? part : encodeURIComponent(part),
  );
  // Never force: fields that another manager holds are a conflict, not ours for the taking.
  const query = request.verb === 'patch' ? '?fieldManager=podsecrets&fieldValidation=Strict' : '';
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

/** Never the parser's error: it quotes the answer, and the answer holds values. */
function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function noAnswer(cluster: Cluster, cause: unknown): Problem {
  const code = (cause as NodeJS.ErrnoException).code;
  const timedOut = (cause as Error).name === 'TimeoutError' || code === 'ABORT_ERR';
  const untrusted = code !== undefined && /CERT|SIGNATURE|ISSUER/.test(code);
  return new Problem({
    code: 'kubernetes.api',
    subject: `API server ${cluster.host}:${cluster.port}`,
    message: `expected an answer, got ${timedOut ? `none within ${TIMEOUT / 1000} s` : (code ?? (cause as Error).message)}`,
    remedy: untrusted
      ? 'Its certificate does not follow from the ca.crt of the service account volume: mount that of this cluster.'
      : 'It is tried again; if this lasts, look at network policies.',
    retry: !untrusted,
    cause,
  });
}
