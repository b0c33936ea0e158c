/**
 * A Kubernetes API server for tests: the one that KUBECONFIG names, or a real one of our own, built from Go modules.
 *
 * Our own has no kubelet and no controllers: objects are admitted, defaulted and stored, and nothing runs. Everything it
 * writes is in a folder that goes with it.
 */

import { execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildCluster } from './build.ts';

export interface Cluster {
  /** The kubeconfig of an administrator. */
  readonly kubeconfig: string;
  /** Where kubectl is. */
  readonly binary: string;
  /** Runs kubectl and answers with its output; throws with its message when it fails. */
  readonly kubectl: (words: readonly string[], input?: string) => string;
  /** Ends what was started; a cluster of KUBECONFIG is left running. */
  readonly stop: () => Promise<void>;
}

export async function startCluster(): Promise<Cluster> {
  const given = process.env.KUBECONFIG;
  if (given !== undefined && given !== '') {
    const binary = process.env.KUBECTL || 'kubectl';
    return { kubeconfig: given, binary, kubectl: kubectlWith(binary, given), stop: async () => {} };
  }
  const { apiserver, etcd, kubectl: binary } = buildCluster();
  const directory = mkdtempSync(join(tmpdir(), 'cluster-'));
  const [client, peer, port] = [await freePort(), await freePort(), await freePort()];
  const token = randomUUID();
  const kubeconfig = writeFiles(directory, port, token);

  const processes = [
    run(directory, etcd, [
      `--data-dir=${join(directory, 'etcd')}`,
      `--listen-client-urls=http://127.0.0.1:${client}`,
      `--advertise-client-urls=http://127.0.0.1:${client}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      '--unsafe-no-fsync',
    ]),
    run(directory, apiserver, [
      `--etcd-servers=http://127.0.0.1:${client}`,
      `--secure-port=${port}`,
      '--bind-address=127.0.0.1',
      `--cert-dir=${join(directory, 'certificates')}`,
      '--authorization-mode=RBAC',
      `--token-auth-file=${join(directory, 'tokens.csv')}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${join(directory, 'service-account.key')}`,
      `--service-account-signing-key-file=${join(directory, 'service-account.key')}`,
      '--service-cluster-ip-range=10.0.0.0/24',
      // What Kubernetes 1.34 and 1.35 have of the policies, and this release still serves.
      '--runtime-config=admissionregistration.k8s.io/v1beta1=true',
    ]),
  ];
  const stop = async () => {
    await Promise.all(processes.map((process) => process.stop()));
    rmSync(directory, { recursive: true, force: true });
  };
  const kubectl = kubectlWith(binary, kubeconfig);
  try {
    await ready(kubectl);
    return { kubeconfig, binary, kubectl, stop };
  } catch (error) {
    const words = processes.map((process) => process.lastWords()).join('\n');
    await stop();
    throw new Error(`the API server did not become ready:\n${words}`, { cause: error });
  }
}

/** A namespace with the service accounts that a controller would make; ours has none. */
export function makeNamespace(cluster: Cluster, name: string): void {
  const objects = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } },
  ];
  for (const object of objects)
    cluster.kubectl(['apply', '--server-side', '-f', '-'], JSON.stringify(object));
}

function kubectlWith(binary: string, kubeconfig: string): Cluster['kubectl'] {
  return (words, input) =>
    execFileSync(binary, [`--kubeconfig=${kubeconfig}`, ...words], {
      encoding: 'utf8',
      input: input ?? '',
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, HOME: tmpdir() },
    });
}

function writeFiles(directory: string, port: number, token: string): string {
  mkdirSync(join(directory, 'certificates'));
  writeFileSync(join(directory, 'tokens.csv'), `${token},admin,admin,system:masters\n`);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(join(directory, 'service-account.key'), privateKey.export({ type: 'pkcs1', format: 'pem' }));
  const kubeconfig = join(directory, 'kubeconfig');
  const server = `https://127.0.0.1:${port}`;
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster: { server, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'admin', user: { token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
      'current-context': 'test',
    }),
  );
  return kubeconfig;
}

interface Running {
  readonly lastWords: () => string;
  readonly stop: () => Promise<void>;
}

function run(directory: string, binary: string, words: readonly string[]): Running {
  const child = spawn(binary, words, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
  let tail = '';
  child.stderr.on('data', (chunk: Buffer) => {
    tail = (tail + chunk.toString()).slice(-2000);
  });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  return {
    lastWords: () => `${binary}:\n${tail}`,
    stop: () => {
      child.kill('SIGKILL');
      return ended;
    },
  };
}

/** Until the API server has made its own roles, which are the last thing that it makes. */
async function ready(kubectl: Cluster['kubectl']): Promise<void> {
  let last: unknown;
  // A loaded machine takes half a minute.
  for (let attempt = 0; attempt < 240; attempt++) {
    try {
      kubectl(['get', 'clusterrole', 'view', '-o', 'name']);
      if (kubectl(['get', '--raw', '/readyz']) === 'ok') return;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw last;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
