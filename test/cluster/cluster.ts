/**
 * The Kubernetes cluster of a test: the one that KUBECONFIG names, or one that is started here.
 *
 * On an existing cluster the tests create namespaces with random names, and a policy that applies to one
 * of these only; all of it bears the label of the run. Nothing else is written. The administrator's kubeconfig may be of any
 * kind that kubectl reads: certificates, tokens, plugins, several files.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { built } from './build.ts';
import { startOwnCluster } from './own-cluster.ts';

export interface Cluster {
  /** The variables with which the other files of a run find it. */
  readonly env: NodeJS.ProcessEnv;
  /** Runs kubectl and answers with its output; throws with its message when it fails. */
  readonly kubectl: (words: readonly string[], input?: string) => string;
  /** Ends what was started; a cluster of KUBECONFIG is left running. */
  readonly stop: () => Promise<void>;
}

/** Somebody's cluster, or one that is started here. */
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

/** On everything that a test makes: which run it was. test/cluster/run.ts gives its files one name. */
export const RUN_LABEL = 'podsecrets.io/test-run';
export const RUN = process.env.PODSECRETS_TEST_RUN || 'alone';

/** A namespace of that name, once pods can be made in it. */
export async function makeNamespace(cluster: Cluster, name: string): Promise<void> {
  // Clusters may hold every namespace to a stricter standard than what some of the tests' pods say of themselves.
  const labels = { [RUN_LABEL]: RUN, 'pod-security.kubernetes.io/enforce': 'privileged' };
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
  cluster.kubectl(['create', '-f', '-'], JSON.stringify(namespace));
  const words = ['-n', name, 'get', 'serviceaccount', 'default', '-o', 'name', '--ignore-not-found'];
  await until('the service account that a controller makes', () => cluster.kubectl(words) || undefined);
}

/** A name that no namespace has. */
export function freshName(): string {
  return `podsecrets-test-${randomBytes(4).toString('hex')}`;
}

/**
 * Asks until there is an answer. Whatever a controller or a cache has a part in comes when it comes: service accounts, rules,
 * policies, pods, the end of what has lost its owner.
 */
export async function until<T>(what: string, ask: () => T | undefined): Promise<T> {
  for (let attempt = 0; attempt < 480; attempt++) {
    const answer = ask();
    if (answer !== undefined) return answer;
    await setTimeout(250);
  }
  throw new Error(`expected ${what} within two minutes, got none`);
}

/** Removes what a run left behind, and waits until it is gone. Files clean up after themselves unless they are killed. */
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
