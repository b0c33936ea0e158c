/**
 * The environment as a value: what reads a variable gets the environment as a parameter, and never reads the process.
 */

/** Names to values, as the process got them. An empty value counts as absent nearly everywhere. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Whether the process runs in a pod: the kubelet gives this variable to every container. */
export function inKubernetes(env: Environment): boolean {
  return Boolean(env.KUBERNETES_SERVICE_HOST);
}
