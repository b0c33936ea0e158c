/**
 * The address of the API server and the identity of the pod, which the kubelet provides to every pod.
 *
 * Environment variables have the address; the projected service account volume contains the token, the CA and the namespace. The token is
 * read for every request, because the kubelet replaces it within the hour. KUBECONFIG is not read, because on a laptop it would
 * write the Secrets to whatever cluster is current.
 */

import { join } from 'node:path';
import type { Environment } from '../core/environment.ts';
import { isOpenFilesCode, OPEN_FILES_REMEDY } from '../core/open-files.ts';
import { Problem } from '../core/problem.ts';
import { readRegularFile } from '../core/regular-file.ts';
import { quote } from '../core/text.ts';

/** The API server, and the identity of the pod. */
export interface Cluster {
  readonly host: string;
  readonly port: number;
  readonly namespace: string;
  /** PEM. */
  readonly ca: string;
  /** Throws a Problem if it cannot be read. */
  token(): string;
}

/** The cluster this pod runs in. Throws a Problem if there is none, or if its token is not mounted. */
export function inCluster(env: Environment, directory: string = SERVICE_ACCOUNT): Cluster {
  const host = env.KUBERNETES_SERVICE_HOST;
  if (!host) {
    throw new Problem({
      code: 'kubernetes.api',
      subject: 'KUBERNETES_SERVICE_HOST',
      message: 'is not set: this process does not run in a Kubernetes pod',
      remedy: 'Run in a pod, or leave out --sync-secrets.',
    });
  }
  return {
    host,
    port: portOf(env.KUBERNETES_SERVICE_PORT || '443'),
    namespace: mounted(directory, 'namespace').trim(),
    ca: mounted(directory, 'ca.crt'),
    token: () => mounted(directory, 'token').trim(),
  };
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port > 0 && port <= 65_535) return port;
  throw new Problem({
    code: 'kubernetes.api',
    subject: 'KUBERNETES_SERVICE_PORT',
    message: `expected a port, got ${quote(text)}`,
    remedy: 'Remove the variable from the pod spec: the kubelet sets it.',
  });
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Bytes. A bundle of CAs has a few KiB. */
const MAX_SIZE = 1024 * 1024;

function mounted(directory: string, name: string): string {
  const path = join(directory, name);
  const content = readRegularFile(path, MAX_SIZE);
  if (content.kind === 'read') return new TextDecoder().decode(content.bytes);
  throw new Problem({
    code: 'kubernetes.api',
    subject: path,
    message: `cannot read the service account volume: ${content.found ?? content.code}`,
    remedy: isOpenFilesCode(content.code)
      ? OPEN_FILES_REMEDY
      : 'Set automountServiceAccountToken: true in the pod spec, and make the file readable for the user of podsecrets.',
    retry: isOpenFilesCode(content.code),
  });
}
