/**
 * The kubelet, and what restarts it when it ends, as systemd does on an ordinary node.
 *
 * A test that restarts it kills the process of the pid file.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Daemon, startDaemon } from '../cluster/daemon.ts';
import { NODE_ADDRESS } from './namespace.ts';
import { until } from './wait.ts';

export interface KubeletOptions {
  /** Of the run: its settings and its log. */
  readonly directory: string;
  readonly binary: string;
  readonly kubeconfig: string;
  /** Of containerd. */
  readonly socket: string;
  /** The cgroup below which it puts every container. */
  readonly cgroup: string;
}

/** Milliseconds. */
const RESTART_DELAY = 500;

export const kubeletDirectory = (directory: string) => join(directory, 'kubelet');
export const kubeletPidFile = (directory: string) => join(directory, 'kubelet.pid');

/** Starts it. `stop` also ends the restarts. */
export function startKubelet(options: KubeletOptions): Pick<Daemon, 'stop' | 'logTail'> {
  const { directory, binary, kubeconfig } = options;
  const settings = join(directory, 'kubelet.json');
  mkdirSync(kubeletDirectory(directory));
  writeFileSync(settings, JSON.stringify(settingsOf(options)));
  const start = () => {
    const daemon = startDaemon(directory, binary, [
      `--config=${settings}`,
      `--kubeconfig=${kubeconfig}`,
      '--hostname-override=node',
      `--node-ip=${NODE_ADDRESS}`,
      `--root-dir=${kubeletDirectory(directory)}`,
    ]);
    writeFileSync(kubeletPidFile(directory), String(daemon.pid));
    void daemon.ended.then(async () => {
      await setTimeout(RESTART_DELAY);
      if (!stopping) current = start();
    });
    return daemon;
  };
  let stopping = false;
  let current = start();
  return {
    logTail: () => current.logTail(),
    stop() {
      stopping = true;
      return current.stop();
    },
  };
}

function settingsOf({ directory, socket, cgroup }: KubeletOptions): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: NODE_ADDRESS,
    containerRuntimeEndpoint: `unix://${socket}`,
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    cgroupDriver: 'cgroupfs',
    cgroupRoot: cgroup,
    failCgroupV1: false,
    cgroupsPerQOS: true,
    enforceNodeAllocatable: ['pods'],
    failSwapOn: false,
    oomScoreAdj: 0,
    makeIPTablesUtilChains: false,
    resolvConf: '',
    clusterDNS: [],
    podLogsDir: join(directory, 'pod-logs'),
    volumePluginDir: join(directory, 'volume-plugins'),
    // A full disk of the machine must not fail the tests, and removed images could not be pulled again.
    evictionHard: { 'nodefs.available': '0%', 'imagefs.available': '0%', 'nodefs.inodesFree': '0%' },
    imageGCHighThresholdPercent: 100,
    // An edited ConfigMap is in the pod after seconds. A node takes a minute by default.
    syncFrequency: '5s',
    configMapAndSecretChangeDetectionStrategy: 'Watch',
    maxPods: 200,
  };
}

/** Resolves once the API server shows the node as ready. */
export async function nodeIsReady(
  kubectl: (words: readonly string[]) => string,
  logTail: () => string,
): Promise<void> {
  const path = `jsonpath={.status.conditions[?(@.type=="Ready")].status}`;
  await until(
    () => `a node that is ready\n${logTail()}`,
    () => kubectl(['get', 'node', 'node', '--ignore-not-found', '-o', path]) === 'True',
    120,
  );
}
