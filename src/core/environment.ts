/**
 * The environment as a parameter: code never reads `process.env` itself.
 */

/** Environment variables by name. An empty value counts as missing nearly everywhere. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the program runs, because remedies differ: a pod, an ECS task, or any other machine. */
export type Place = 'kubernetes' | 'ecs' | 'host';

/** The kubelet sets KUBERNETES_SERVICE_HOST in every container, ECS sets AWS_EXECUTION_ENV. */
export function placeOf(env: Environment): Place {
  if (inKubernetes(env)) return 'kubernetes';
  return env.AWS_EXECUTION_ENV?.startsWith('AWS_ECS_') ? 'ecs' : 'host';
}

/** Whether the process runs in a pod. */
export function inKubernetes(env: Environment): boolean {
  return Boolean(env.KUBERNETES_SERVICE_HOST);
}
