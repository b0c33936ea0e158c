/**
 * A Secret of the cluster before anything is done to it: read, and refused when it is not ours to change.
 */

import { Problem } from '../core/problem.ts';
import { quote } from '../core/text.ts';
import type { KubernetesApi } from './api.ts';
import { type KubernetesRequest, toProblem } from './api-problems.ts';
import { type LiveSecret, ownershipOf, parseLiveSecret } from './live-secret.ts';

/** The Secret; undefined when there is none. Throws the Problem of any other answer. */
export async function readSecret(api: KubernetesApi, name: string): Promise<LiveSecret | undefined> {
  const request = secretRequest(api, 'get', name);
  const answer = await api.send(request);
  if (answer.status === 404) return undefined;
  const live = answer.status === 200 ? parseLiveSecret(answer.body) : undefined;
  if (live === undefined) throw toProblem(request, answer);
  return live;
}

/** The request for a Secret of our namespace. */
export function secretRequest(
  api: KubernetesApi,
  verb: KubernetesRequest['verb'],
  name: string,
): KubernetesRequest {
  return { verb, group: '', resource: 'secrets', name, namespace: api.namespace };
}

/** What is wanted of the Secret, as far as it decides whether it is ours. */
export interface WantedSecret {
  readonly name: string;
  readonly type: string;
}

/** Throws the Problem of a Secret that is somebody else's, of another config, or of another type. */
export function refuseForeign(
  live: LiveSecret,
  secret: WantedSecret,
  config: string,
  namespace: string,
): void {
  const belonging = ownershipOf(live, config);
  switch (belonging.kind) {
    case 'ours':
      // A type is for life.
      if (live.type !== secret.type)
        throw unchangeable(
          secret,
          namespace,
          `type ${quote(secret.type)}, got ${quote(live.type)}, which never changes`,
        );
      return;
    case 'foreign':
      throw foreign(secret, namespace, belonging.managers);
    case 'config':
      throw new Problem({
        code: 'kubernetes.foreign',
        subject: subjectOf(secret, namespace),
        message: `expected a Secret of the config ${quote(config)}, got one of ${quote(belonging.config)}`,
        remedy: `Choose another secretName; or, if the config was renamed: kubectl -n ${namespace} annotate --overwrite secret ${secret.name} podsecrets.io/config=${config}`,
      });
    default:
      belonging satisfies never;
  }
}

function foreign(secret: WantedSecret, namespace: string, managers: readonly string[]): Problem {
  const whose = managers.length === 0 ? 'somebody else' : managers.map(quote).join(', ');
  return new Problem({
    code: 'kubernetes.foreign',
    subject: subjectOf(secret, namespace),
    message: `expected a Secret of podsecrets, got one managed by ${whose}`,
    remedy: `Choose another secretName; or delete it, and it is made anew: kubectl -n ${namespace} delete secret ${secret.name}`,
  });
}

/** The Problem of a Secret that can only be made anew. */
export function unchangeable(secret: WantedSecret, namespace: string, expected: string): Problem {
  return new Problem({
    code: 'kubernetes.content',
    subject: subjectOf(secret, namespace),
    message: `expected ${expected}`,
    remedy: `Delete it, and it is made anew: kubectl -n ${namespace} delete secret ${secret.name}`,
  });
}

function subjectOf(secret: WantedSecret, namespace: string): string {
  return `Secret ${namespace}/${secret.name}`;
}
