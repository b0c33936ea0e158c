/**
 * The environment as a value: who reads a variable is given all of them, and never asks the process.
 */

/** Names to values, as the process got them. An empty value counts as absent nearly everywhere. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Whether the process runs in a pod: the kubelet gives this variable to every container. */
export function inKubernetes(env: Environment): boolean {
  return Boolean(env.KUBERNETES_SERVICE_HOST);
}
