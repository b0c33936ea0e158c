/**
 * A whole node with its control plane, as EKS has one: etcd, API server, controllers, scheduler, containerd and kubelet; the
 * webhook and the agent of Pod Identity; AWS. Starts in the namespaces of namespace.ts.
 */

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { startDaemon } from '../cluster/daemon.ts';
import { startOwnCluster } from '../cluster/own-cluster.ts';
import { startFakeAwsProcess } from '../fake-aws/client.ts';
import { openApi } from './api.ts';
import { startContainerd } from './containerd.ts';
import { startIdentity } from './identity.ts';
import { kubeletDirectory, kubeletPidFile, nodeIsReady, startKubelet } from './kubelet.ts';
import { NODE_ADDRESS } from './namespace.ts';
import type { NodePrograms } from './programs.ts';

export interface NodeParts {
  readonly programs: NodePrograms;
  /** Archives of images. */
  readonly archives: readonly string[];
  /** The directory of the run; its creator removes it. */
  readonly directory: string;
  readonly cgroup: string;
}

/** What test files get from the node, besides KUBECONFIG. */
export interface FoundNode {
  readonly awsUrl: string;
  readonly kubeletDirectory: string;
  readonly kubeletPidFile: string;
  /** The command line of containerd's client. */
  readonly ctr: readonly string[];
  readonly containerdDirectory: string;
  readonly cgroup: string;
}

/** The variable that holds a FoundNode as JSON. */
export const NODE_VARIABLE = 'TEST_NODE';

/** Starts it; resolves with the variables by which test files find it: scene.ts reads them. */
export async function startNode({
  programs,
  archives,
  directory,
  cgroup,
}: NodeParts): Promise<NodeJS.ProcessEnv> {
  const [cluster, containerd, aws] = await Promise.all([
    startOwnCluster({ nodeAddress: NODE_ADDRESS, parent: directory }),
    startContainerd(directory, programs, archives),
    startFakeAwsProcess(
      { identities: { app: { role: 'arn:aws:iam::111122223333:role/app' } } },
      { host: NODE_ADDRESS },
    ),
  ]);
  const { KUBECONFIG, KUBECTL } = cluster.env;
  startDaemon(directory, programs.scheduler, [
    `--kubeconfig=${KUBECONFIG}`,
    '--leader-elect=false',
    '--secure-port=0',
  ]);
  const kubelet = startKubelet({
    directory,
    binary: programs.kubelet,
    kubeconfig: KUBECONFIG,
    socket: containerd.socket,
    cgroup,
  });
  await startIdentity(openApi(KUBECONFIG), aws);
  const env = { ...process.env, ...cluster.env };
  const kubectl = (words: readonly string[]) => execFileSync(KUBECTL, words, { encoding: 'utf8', env });
  await nodeIsReady(kubectl, kubelet.logTail);
  const found: FoundNode = {
    awsUrl: aws.url,
    kubeletDirectory: kubeletDirectory(directory),
    kubeletPidFile: kubeletPidFile(directory),
    ctr: [programs.ctr, '--address', containerd.socket, '--namespace', 'k8s.io'],
    containerdDirectory: join(directory, 'containerd'),
    cgroup,
  };
  return {
    ...cluster.env,
    [NODE_VARIABLE]: JSON.stringify(found),
  };
}
