/**
 * A service account of a namespace, as a pod has it: its token and the authority of the API server in files, and its permissions.
 */

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import type { RbacRule } from '../../src/kubernetes/rbac.ts';
import { type Cluster, makeNamespace } from './cluster.ts';

/** The API server as a pod's environment names it. */
export interface ApiServer {
  readonly host: string;
  readonly port: string;
  /** PEM. */
  readonly ca: string;
}

/** The address of the API server from this machine, and the authority of its certificate. */
export async function apiServerOf(cluster: Cluster): Promise<ApiServer> {
  const view = cluster.kubectl(['config', 'view', '--raw', '--minify', '--flatten', '-o', 'json']);
  const { clusters } = JSON.parse(view) as { readonly clusters: readonly { readonly cluster: Endpoint }[] };
  const { server = '', 'certificate-authority-data': given } = clusters[0]?.cluster ?? {};
  const { protocol, hostname, port, pathname } = new URL(server);
  if (protocol !== 'https:' || pathname !== '/')
    throw new Error(`expected a kubeconfig with https://HOST:PORT, as a pod needs it, got ${server}`);
  // In a pod's environment an IPv6 address has no brackets.
  const host = hostname.replace(/^\[|\]$/g, '');
  const ca = given === undefined ? await authorityOf(host, port) : Buffer.from(given, 'base64').toString();
  return { host, port: port || '443', ca };
}

interface Endpoint {
  readonly server?: string;
  readonly 'certificate-authority-data'?: string;
}

/** The authority that the server sends, for an API server that created its own certificates. */
function authorityOf(host: string, port: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({ host, port: Number(port || 443), rejectUnauthorized: false }, () => {
    const leaf = socket.getPeerCertificate(true);
    const pem = ({ raw }: { raw: Buffer }) =>
      `-----BEGIN CERTIFICATE-----\n${raw.toString('base64')}\n-----END CERTIFICATE-----\n`;
    resolve(pem(leaf) + (leaf.issuerCertificate ? pem(leaf.issuerCertificate) : ''));
    socket.end();
  });
  socket.on('error', reject);
  return promise;
}

/** Creates a namespace; returns the folder that the kubelet would mount for its service account `default`. */
export async function makeServiceAccount(
  cluster: Cluster,
  { ca }: ApiServer,
  namespace: string,
): Promise<string> {
  await makeNamespace(cluster, namespace);
  const token = cluster.kubectl(['-n', namespace, 'create', 'token', 'default']);
  const directory = mkdtempSync(join(tmpdir(), 'service-account-'));
  for (const [file, text] of Object.entries({ token, 'ca.crt': ca, namespace }))
    writeFileSync(join(directory, file), text);
  return directory;
}

/** Whether the API server already allows all of these rules to the service account. */
export function allows(cluster: Cluster, namespace: string, rules: readonly RbacRule[]): boolean {
  const reviews = rules.flatMap(({ apiGroups, resources, resourceNames = [''], verbs }) =>
    verbs.flatMap((verb) =>
      resourceNames.map((name) => ({
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          user: `system:serviceaccount:${namespace}:default`,
          resourceAttributes: {
            namespace,
            group: apiGroups[0],
            resource: resources[0],
            name,
            verb,
          },
        },
      })),
    ),
  );
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: reviews });
  const printed = cluster.kubectl(['create', '-f', '-', '-o', 'jsonpath={.status.allowed} '], list);
  return !printed.includes('false');
}
