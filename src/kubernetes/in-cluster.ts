/**
 * The address of the API server and the identity of the pod, which the kubelet provides to every pod.
 *
 * Environment variables have the address; the projected service account volume contains the token, the CA and the namespace. The token is
 * read for every request, because the kubelet replaces it within the hour. KUBECONFIG is not read, because on a laptop it would
 * write the Secrets to whatever cluster is current.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../core/environment.ts';
import { Problem } from '../core/problem.ts';

/** The API server, and the identity of the pod. */
export interface Cluster {
  readonly host: string;
  readonly port: number;
  readonly namespace: string;
  /** PEM. */
  readonly ca: string;
  token(): Promise<string>;
}

/** The cluster this pod runs in. Throws a Problem if there is none, or if its token is not mounted. */
export async function inCluster(env: Environment, directory: string = SERVICE_ACCOUNT): Promise<Cluster> {
  const host = env.KUBERNETES_SERVICE_HOST;
  const port = Number(env.KUBERNETES_SERVICE_PORT || 443);
  if (!host || !Number.isInteger(port)) {
    throw new Problem({
      code: 'kubernetes.api',
      subject: 'KUBERNETES_SERVICE_HOST',
      message: 'is not set: this process does not run in a Kubernetes pod',
      remedy: 'Run in a pod, or leave out --sync-secrets.',
    });
  }
  return {
    host,
    port,
    namespace: (await mounted(directory, 'namespace')).trim(),
    ca: await mounted(directory, 'ca.crt'),
    token: async () => (await mounted(directory, 'token')).trim(),
  };
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

async function mounted(directory: string, name: string): Promise<string> {
  const path = join(directory, name);
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new Problem({
      code: 'kubernetes.api',
      subject: path,
      message: `cannot read the service account volume: ${(cause as NodeJS.ErrnoException).code ?? 'an error'}`,
      remedy:
        'Set automountServiceAccountToken: true in the pod spec, and make the file readable for the user of podsecrets.',
      cause,
    });
  }
}
