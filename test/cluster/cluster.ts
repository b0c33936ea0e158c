/**
 * The Kubernetes cluster of a test: the one that KUBECONFIG names, or one that is started here.
 *
 * On an existing cluster the tests create namespaces with random names, and a policy that applies to one
 * of these only; all of them have the label of the run. Nothing else is written. The administrator's kubeconfig may be of any
 * kind that kubectl supports: certificates, tokens, plugins, several files.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { built } from './build.ts';
import { startOwnCluster } from './own-cluster.ts';

export interface Cluster {
  /** The variables with which the other files of a run find it. */
  readonly env: NodeJS.ProcessEnv;
  /** Runs kubectl and returns its output; throws with its message when it fails. */
  readonly kubectl: (words: readonly string[], input?: string) => string;
  /** Ends what was started; a cluster of KUBECONFIG is left running. */
  readonly stop: () => Promise<void>;
}

/** The cluster of KUBECONFIG, or one that is started here. */
export async function startCluster(): Promise<Cluster> {
  const given = process.env.KUBECONFIG;
  if (given === undefined || given === '') {
    const { env, stop } = await startOwnCluster();
    return { env, kubectl: kubectlWith(env.KUBECTL, env), stop };
  }
  const KUBECTL = process.env.KUBECTL || (hasKubectl() ? 'kubectl' : built('kubectl'));
  return { env: { KUBECTL }, kubectl: kubectlWith(KUBECTL, {}), stop: async () => {} };
}

function hasKubectl(): boolean {
  return spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).error === undefined;
}

function kubectlWith(binary: string, env: NodeJS.ProcessEnv): Cluster['kubectl'] {
  return (words, input) =>
    execFileSync(binary, words, {
      encoding: 'utf8',
      input: input ?? '',
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
}

/** The label with the name of the run, on every object that a test creates. test/cluster/run.ts gives its files one name. */
export const RUN_LABEL = 'podsecrets.io/test-run';
export const RUN = process.env.PODSECRETS_TEST_RUN || 'alone';

/** Creates a namespace; returns when pods can be created in it. */
export async function makeNamespace(cluster: Cluster, name: string): Promise<void> {
  // A cluster may enforce a stricter Pod Security Standard by default than some pods of the tests meet.
  const labels = { [RUN_LABEL]: RUN, 'pod-security.kubernetes.io/enforce': 'privileged' };
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
  cluster.kubectl(['create', '-f', '-'], JSON.stringify(namespace));
  const words = ['-n', name, 'get', 'serviceaccount', 'default', '-o', 'name', '--ignore-not-found'];
  await until('the service account that a controller creates', () => cluster.kubectl(words) || undefined);
}

/** A name that no namespace has. */
export function freshName(): string {
  return `podsecrets-test-${randomBytes(4).toString('hex')}`;
}

/**
 * Polls until there is a result. Controllers and caches are asynchronous: service accounts, rules, policies, pods and garbage
 * collection take a moment.
 */
export async function until<T>(what: string, poll: () => T | undefined): Promise<T> {
  for (let attempt = 0; attempt < 480; attempt++) {
    const result = poll();
    if (result !== undefined) return result;
    await setTimeout(250);
  }
  throw new Error(`expected ${what} within two minutes, got none`);
}

/** Removes the objects that a killed test file of the run left, and waits for the end of their deletion. */
export function removeLeftovers({ kubectl }: Cluster, run: string): void {
  const kinds = kubectl(['api-resources', '-o', 'name'])
    .split('\n')
    .filter((kind) => /^(namespaces$|mutatingadmissionpolic)/.test(kind));
  kubectl(['delete', kinds.join(','), '-l', `${RUN_LABEL}=${run}`, '--timeout=5m']);
}

/** A hook that runs before tests and prints its error, which uvu does not do. */
export function reportingHook<T>(hook: (context: T) => Promise<void>): (context: T) => Promise<void> {
  return async (context) => {
    try {
      await hook(context);
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      throw error;
    }
  };
}
