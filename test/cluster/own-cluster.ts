/**
 * A real Kubernetes control plane on this machine: etcd, the API server and the controllers, built from Go modules.
 *
 * It has no node: objects are admitted, defaulted, stored, owned and collected as in any cluster, but no container runs.
 * test/node adds a node. Everything that it writes is in a folder that is removed at its end.
 */

import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/free-port.ts';
import { built } from './build.ts';
import { startDaemon } from './daemon.ts';

export interface OwnClusterOptions {
  /**
   * The address of a node, from which pods reach the API server; then it listens on all addresses, at port 443: the address of
   * the service `kubernetes` can be one of them, and no rules for packets are needed. By default 127.0.0.1 and a free port.
   */
  readonly nodeAddress?: string;
  /** The parent of its folder; default: the system's folder for temporary files. */
  readonly parent?: string;
}

export interface OwnCluster {
  /** The variables with which kubectl, and the other files of a run, find it. */
  readonly env: {
    readonly KUBECONFIG: string;
    readonly KUBECTL: string;
    readonly KUBECACHEDIR: string;
  };
  readonly stop: () => Promise<void>;
}

export async function startOwnCluster(options: OwnClusterOptions = {}): Promise<OwnCluster> {
  const { nodeAddress, parent = tmpdir() } = options;
  const KUBECTL = built('kubectl');
  const [etcd, apiserver, controllers] = [
    built('etcd'),
    built('kube-apiserver'),
    built('kube-controller-manager'),
  ];
  const directory = mkdtempSync(join(parent, 'cluster-'));
  const port = nodeAddress === undefined ? await freePort() : 443;
  const [client, peer] = [await freePort(), await freePort()];
  const KUBECONFIG = writeFiles(directory, `https://${nodeAddress ?? '127.0.0.1'}:${port}`);
  const key = join(directory, 'service-account.key');

  const daemons = [
    startDaemon(directory, etcd, [
      `--data-dir=${join(directory, 'etcd')}`,
      `--listen-client-urls=http://127.0.0.1:${client}`,
      `--advertise-client-urls=http://127.0.0.1:${client}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      '--unsafe-no-fsync',
    ]),
    startDaemon(directory, apiserver, [
      `--etcd-servers=http://127.0.0.1:${client}`,
      `--secure-port=${port}`,
      ...(nodeAddress === undefined
        ? ['--bind-address=127.0.0.1']
        : [
            '--bind-address=0.0.0.0',
            `--advertise-address=${nodeAddress}`,
            '--allow-privileged=true',
            // Nothing resolves the name of the node.
            '--kubelet-preferred-address-types=InternalIP',
          ]),
      `--cert-dir=${join(directory, 'certificates')}`,
      '--authorization-mode=RBAC',
      `--token-auth-file=${join(directory, 'tokens.csv')}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${key}`,
      `--service-account-signing-key-file=${key}`,
      '--service-cluster-ip-range=10.0.0.0/24',
      // The versions of the policies in Kubernetes 1.34 and 1.35, which this release still serves.
      '--runtime-config=admissionregistration.k8s.io/v1beta1=true',
    ]),
  ];
  const stop = async () => {
    await Promise.all(daemons.map((daemon) => daemon.stop()));
    rmSync(directory, { recursive: true, force: true });
  };
  const env = { KUBECONFIG, KUBECTL, KUBECACHEDIR: join(directory, 'cache') };
  try {
    await ready((words) =>
      execFileSync(KUBECTL, words, { encoding: 'utf8', stdio: 'pipe', env: { ...process.env, ...env } }),
    );
  } catch (error) {
    const tails = daemons.map((daemon) => daemon.logTail()).join('\n');
    await stop();
    throw new Error(`the API server did not become ready:\n${tails}`, { cause: error });
  }
  daemons.push(
    startDaemon(directory, controllers, [
      `--kubeconfig=${KUBECONFIG}`,
      '--leader-elect=false',
      '--secure-port=0',
      `--service-account-private-key-file=${key}`,
      `--root-ca-file=${join(directory, 'certificates', 'apiserver.crt')}`,
    ]),
  );
  return { env, stop };
}

/** Resolves when the API server has created its own roles, which it does last. */
async function ready(kubectl: (words: readonly string[]) => string): Promise<void> {
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

/** The files that the processes read, and the kubeconfig. */
function writeFiles(directory: string, server: string): string {
  const token = randomUUID();
  mkdirSync(join(directory, 'certificates'));
  writeFileSync(join(directory, 'tokens.csv'), `${token},admin,admin,system:masters\n`);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(join(directory, 'service-account.key'), privateKey.export({ type: 'pkcs1', format: 'pem' }));
  const kubeconfig = join(directory, 'kubeconfig');
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
