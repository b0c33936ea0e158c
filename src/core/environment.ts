/**
 * The environment as a parameter: code never reads `process.env` itself.
 */

/** Environment variables by name. An empty value counts as missing nearly everywhere. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Characters. Longer names are valid, but are not used. */
export const MAX_ENV_NAME = 128;

/** Whether a text is the name of a variable that every shell and the kubelet accept. */
export function isEnvName(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(text) && text.length <= MAX_ENV_NAME;
}

/** Where the program runs, because remedies differ: a pod, an ECS task, or any other machine. */
export type Platform = 'kubernetes' | 'ecs' | 'host';

/** The kubelet sets KUBERNETES_SERVICE_HOST in every container, ECS sets AWS_EXECUTION_ENV. */
export function platformOf(env: Environment): Platform {
  if (inKubernetes(env)) return 'kubernetes';
  return env.AWS_EXECUTION_ENV?.startsWith('AWS_ECS_') ? 'ecs' : 'host';
}

/** Whether the process runs in a pod. */
export function inKubernetes(env: Environment): boolean {
  return Boolean(env.KUBERNETES_SERVICE_HOST);
}
