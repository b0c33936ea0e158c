/**
 * An HTTPS double of the Kubernetes API server for what podsecrets uses of it: bearer tokens, RBAC with resourceNames,
 * GET, DELETE with preconditions, and server-side apply of Secrets (kubernetes-apply.ts). A test can configure failures.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import forge from 'node-forge';
import type { RbacRule } from '../../src/kubernetes/rbac.ts';
import { applySecretBody, mergePatchSecret, type StoredSecret } from './kubernetes-apply.ts';

const NAMESPACE = 'shop';
const USER = 'system:serviceaccount:shop:app';

export interface KubernetesDouble {
  readonly env: Readonly<Record<string, string>>;
  /** Holds token, ca.crt and namespace, as the kubelet mounts them. */
  readonly serviceAccountDirectory: string;
  /** `GET secrets/app`, in order. */
  readonly requests: string[];
  /** The rules of the service account. Undefined: everything is allowed. */
  rules: readonly RbacRule[] | undefined;
  /** The response of `/version`. */
  gitVersion: string;
  /** Responses to send first: a status with a body, or none. */
  readonly faults: {
    readonly status: number;
    readonly body?: unknown;
    readonly headers?: Record<string, string>;
  }[];
  /** Runs once before the next apply, as a concurrent writer. */
  beforeApply: (() => void) | undefined;
  secret(name: string): StoredSecret | undefined;
  /** Another writer: an `Update` by that manager. */
  write(
    manager: string,
    name: string,
    body: { data?: Record<string, string>; type?: string; [field: string]: unknown },
  ): void;
  remove(name: string): void;
  /** Pods, ReplicaSets, Jobs: `put('pods', 'app-1', {...metadata})`. */
  put(resource: string, name: string, metadata: unknown): void;
  /** The kubelet projects a new token; the old one ends. */
  rotateToken(): void;
  close(): Promise<void>;
}

/** All doubles share one authority, unless another is given: creating a key takes 50 ms. */
export async function kubernetesDouble(authority = shared()): Promise<KubernetesDouble> {
  const directory = mkdtempSync(join(tmpdir(), 'podsecrets-kubernetes-'));
  const secrets = new Map<string, StoredSecret>();
  const others = new Map<string, unknown>();
  let token = 'token-1';
  let version = 100;
  const fresh = () => ({ uid: `uid-${++version}`, resourceVersion: String(++version) });

  const server = createServer({ key: authority.key, cert: authority.certificate }, (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const url = new URL(incoming.url ?? '', 'https://kubernetes');
      const { status, body, headers } = respond({
        method: incoming.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        type: incoming.headers['content-type'],
        authorization: incoming.headers.authorization,
        text: Buffer.concat(chunks).toString(),
      });
      outgoing.writeHead(status, { 'content-type': 'application/json', ...headers });
      outgoing.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });

  interface Incoming {
    readonly method: string;
    readonly path: string;
    readonly query: URLSearchParams;
    readonly type: string | undefined;
    readonly authorization: string | undefined;
    readonly text: string;
  }
  interface Outgoing {
    readonly status: number;
    readonly body: unknown;
    readonly headers?: Record<string, string>;
  }

  function respond(request: Incoming): Outgoing {
    const fault = double.faults.shift();
    if (fault !== undefined)
      return { status: fault.status, body: fault.body ?? '', headers: fault.headers ?? {} };
    if (request.path === '/version') return { status: 200, body: { gitVersion: double.gitVersion } };
    if (request.path === REVIEWS) return review(request);
    const match = /^(?:\/api\/v1|\/apis\/([a-z]+)\/v1)\/namespaces\/([^/]+)\/([a-z]+)\/([^/]+)$/.exec(
      request.path,
    );
    const [, group = '', namespace = '', resource = '', name = ''] = match ?? [];
    double.requests.push(`${request.method} ${resource}/${name}`);
    if (request.authorization !== `Bearer ${token}`) return failure(401, 'Unauthorized', 'Unauthorized');
    if (namespace !== NAMESPACE) return failure(404, 'NotFound', `namespaces "${namespace}" not found`);
    const verb = { GET: 'get', PATCH: 'patch', DELETE: 'delete' }[request.method] ?? 'unknown';
    if (!allowed(verb, group, resource, name)) return forbidden(verb, group, resource, name);
    if (resource !== 'secrets') {
      const metadata = others.get(`${resource}/${name}`);
      return metadata === undefined ? notFound(resource, name) : { status: 200, body: { metadata } };
    }
    if (request.method === 'PATCH') return apply(request, name);
    const stored = secrets.get(name);
    if (stored === undefined) return notFound(resource, name);
    if (request.method === 'DELETE') return removed(stored, request.text);
    return { status: 200, body: stored };
  }

  function review(request: Incoming): Outgoing {
    if (request.authorization !== `Bearer ${token}`) return failure(401, 'Unauthorized', 'Unauthorized');
    const { spec } = JSON.parse(request.text) as { spec: { resourceAttributes: Record<string, string> } };
    const { verb = '', group = '', resource = '', name = '' } = spec.resourceAttributes;
    return {
      status: 201,
      body: { kind: 'SelfSubjectAccessReview', status: { allowed: allowed(verb, group, resource, name) } },
    };
  }

  function apply(request: Incoming, name: string): Outgoing {
    const hook = double.beforeApply;
    double.beforeApply = undefined;
    hook?.();
    if (request.type === 'application/merge-patch+json') return merge(request, name);
    if (request.type !== 'application/apply-patch+yaml')
      return failure(415, 'UnsupportedMediaType', 'expected apply');
    const manager = request.query.get('fieldManager');
    if (manager === null)
      return failure(422, 'Invalid', 'fieldManager: Required value: is required for apply patch');
    const force = request.query.get('force') === 'true';
    const live = secrets.get(name);
    // The server also checks `create`, with the name, if the apply would create.
    if (live === undefined && !allowed('create', '', 'secrets', name))
      return forbidden('create', '', 'secrets', name);
    const applied = applySecretBody(live, JSON.parse(request.text), manager, 'Apply', fresh(), force);
    if (applied.kind === 'rejected') return { status: applied.status, body: applied.body };
    secrets.set(name, applied.secret);
    return { status: live === undefined ? 201 : 200, body: applied.secret };
  }

  function merge(request: Incoming, name: string): Outgoing {
    const live = secrets.get(name);
    if (live === undefined) return notFound('secrets', name);
    const manager = request.query.get('fieldManager') ?? 'unknown';
    const patched = mergePatchSecret(live, JSON.parse(request.text), manager, fresh().resourceVersion);
    if (patched.kind === 'rejected') return { status: patched.status, body: patched.body };
    secrets.set(name, patched.secret);
    return { status: 200, body: patched.secret };
  }

  function removed(stored: StoredSecret, text: string): Outgoing {
    const { preconditions } = JSON.parse(text) as {
      preconditions?: { uid?: string; resourceVersion?: string };
    };
    const { uid, resourceVersion, name } = stored.metadata;
    if (preconditions?.uid !== uid || preconditions.resourceVersion !== resourceVersion)
      return failure(
        409,
        'Conflict',
        `Operation cannot be fulfilled on secrets "${name}": Precondition failed`,
      );
    secrets.delete(name);
    return { status: 200, body: { kind: 'Status', apiVersion: 'v1', status: 'Success' } };
  }

  function allowed(verb: string, group: string, resource: string, name: string): boolean {
    const rules = double.rules;
    return (
      rules === undefined ||
      rules.some(
        (rule) =>
          rule.verbs.includes(verb) &&
          rule.apiGroups.includes(group) &&
          rule.resources.includes(resource) &&
          (rule.resourceNames === undefined || rule.resourceNames.includes(name)),
      )
    );
  }

  function forbidden(verb: string, group: string, resource: string, name: string): Outgoing {
    const where = `in API group "${group}" in the namespace "${NAMESPACE}"`;
    const message = `${resource} "${name}" is forbidden: User "${USER}" cannot ${verb} resource "${resource}" ${where}`;
    return failure(403, 'Forbidden', message);
  }

  const mount = (file: string, text: string) => writeFileSync(join(directory, file), text);
  mount('token', token);
  mount('namespace', NAMESPACE);
  mount('ca.crt', authority.certificate);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const double: KubernetesDouble = {
    env: {
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String((server.address() as AddressInfo).port),
    },
    serviceAccountDirectory: directory,
    requests: [],
    rules: undefined,
    gitVersion: 'v1.36.3',
    faults: [],
    beforeApply: undefined,
    secret: (name) => secrets.get(name),
    write(manager, name, body) {
      const { metadata, ...rest } = body;
      const sent = { metadata: { ...(metadata as object), name, namespace: NAMESPACE }, ...rest };
      const applied = applySecretBody(secrets.get(name), sent, manager, 'Update', fresh());
      if (applied.kind === 'rejected') throw new Error(JSON.stringify(applied.body));
      secrets.set(name, applied.secret);
    },
    remove: (name) => void secrets.delete(name),
    put: (resource, name, metadata) => void others.set(`${resource}/${name}`, metadata),
    rotateToken() {
      token = `${token}-next`;
      mount('token', token);
    },
    close: () =>
      new Promise((resolve) => {
        rmSync(directory, { recursive: true });
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return double;
}

const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

function notFound(resource: string, name: string) {
  return failure(404, 'NotFound', `${resource} "${name}" not found`);
}

function failure(status: number, reason: string, message: string) {
  return {
    status,
    body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: status, reason, message },
  };
}

let made: ReturnType<typeof certificate> | undefined;
function shared() {
  made ??= certificate();
  return made;
}

/** A certificate for 127.0.0.1, created by node-forge, because Node can read certificates but not create them. */
export function certificate(options: { readonly authority?: boolean; readonly name?: string } = {}) {
  const keys = forge.pki.rsa.generateKeyPair(2048);
  const made = forge.pki.createCertificate();
  made.publicKey = keys.publicKey;
  made.serialNumber = '01';
  made.validity.notBefore = new Date('2020-01-01T00:00:00Z');
  made.validity.notAfter = new Date('2120-01-01T00:00:00Z');
  made.setSubject([{ name: 'commonName', value: options.name ?? 'kubernetes' }]);
  made.setIssuer([
    { name: 'commonName', value: options.authority === false ? 'elsewhere' : (options.name ?? 'kubernetes') },
  ]);
  made.setExtensions([
    { name: 'basicConstraints', cA: options.authority ?? true },
    { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
  ]);
  made.sign(keys.privateKey, forge.md.sha256.create());
  return { certificate: forge.pki.certificateToPem(made), key: forge.pki.privateKeyToPem(keys.privateKey) };
}
