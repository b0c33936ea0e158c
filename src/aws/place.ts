/**
 * Where the program runs, as far as it changes what to do about missing credentials.
 */

import type { Environment } from '../core/environment.ts';

/** A pod, an ECS task, or any other machine. */
export type Place = 'kubernetes' | 'ecs' | 'host';

/** The kubelet sets KUBERNETES_SERVICE_HOST in every container, ECS sets AWS_EXECUTION_ENV. */
export function placeOf(env: Environment): Place {
  if (env.KUBERNETES_SERVICE_HOST) return 'kubernetes';
  return env.AWS_EXECUTION_ENV?.startsWith('AWS_ECS_') ? 'ecs' : 'host';
}
