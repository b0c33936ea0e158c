/**
 * Whether `--sync-secrets` could do its work: what the service account may do, and whose the Secrets are that are there.
 *
 * For `doctor`: nothing is written. Every verb on every name is asked for by itself, so that the answer is the rules that are
 * missing, all of them and no more.
 */

import type { Plan, SecretObject } from '../config/plan.ts';
import type { Environment } from '../core/environment.ts';
import { Problem, throwProblems } from '../core/problem.ts';
import { type KubernetesApi, openApi } from './api.ts';
import { readSecret, refuseForeign } from './existing-secret.ts';
import { inCluster } from './in-cluster.ts';
import { configIdentity } from './live-secret.ts';
import { type RbacRule, rulesNeeded, ruleText, type SecretOwner } from './rbac.ts';

/** Whose access is asked about, and to what. */
export interface AccessQuestion {
  readonly plan: Plan;
  readonly owner: SecretOwner;
  readonly env: Environment;
  readonly signal: AbortSignal;
  /** Where the service account volume is mounted. Default: where the kubelet mounts it. */
  readonly serviceAccountDirectory?: string;
}

/** The namespace, when nothing stands against it; throws the Problems otherwise. */
export async function checkAccess(question: AccessQuestion): Promise<string> {
  const cluster = await inCluster(question.env, question.serviceAccountDirectory);
  const api = openApi(cluster, question.signal);
  try {
    const rules = rulesNeeded(question.plan, question.owner);
    const missing = (await Promise.all(rules.map((rule) => missingOf(api, rule)))).flat();
    if (missing.length > 0) throw missingRules(cluster.namespace, missing);
    const config = configIdentity(question.plan);
    const problems = await Promise.all(
      question.plan.secretObjects.map((object) => problemOf(api, object, config)),
    );
    throwProblems(problems.flatMap((problem) => problem ?? []));
    return cluster.namespace;
  } finally {
    api.close();
  }
}

function missingRules(namespace: string, rules: readonly RbacRule[]): Problem {
  return new Problem({
    code: 'kubernetes.denied',
    subject: `namespace ${namespace}`,
    message: 'expected the service account to be allowed what --sync-secrets needs, got less',
    remedy: `Add to a Role in namespace ${namespace}: ${rules.map(ruleText).join(' ')}`,
  });
}

/** What stands against applying this one, as far as the Secret that is there can tell. */
async function problemOf(
  api: KubernetesApi,
  { secretName, type }: SecretObject,
  config: string,
): Promise<Problem | undefined> {
  try {
    const live = await readSecret(api, secretName);
    if (live !== undefined) refuseForeign(live, { name: secretName, type }, config, api.namespace);
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

/** The rule, cut down to the verbs and names that are not allowed; none when all are. */
async function missingOf(api: KubernetesApi, rule: RbacRule): Promise<readonly RbacRule[]> {
  const [group = ''] = rule.apiGroups;
  const [resource = ''] = rule.resources;
  const names: readonly (string | undefined)[] = rule.resourceNames ?? [undefined];
  const denied = await Promise.all(
    names.map(async (name) => ({
      name,
      verbs: (
        await Promise.all(
          rule.verbs.map(async (verb) =>
            (await isAllowed(api, { verb, group, resource, name })) ? [] : [verb],
          ),
        )
      ).flat(),
    })),
  );
  // Names that lack the same verbs share a rule.
  const byVerbs = Map.groupBy(
    denied.filter(({ verbs }) => verbs.length > 0),
    ({ verbs }) => verbs.join(),
  );
  return [...byVerbs.values()].map((alike) => ({
    ...rule,
    ...(rule.resourceNames === undefined ? {} : { resourceNames: alike.flatMap(({ name }) => name ?? []) }),
    verbs: alike[0]?.verbs ?? [],
  }));
}

async function isAllowed(
  api: KubernetesApi,
  access: Parameters<KubernetesApi['review']>[0],
): Promise<boolean> {
  const { status, body } = await api.review(access);
  const review = body as { readonly status?: { readonly allowed?: boolean } } | undefined;
  if (status === 201 && review?.status !== undefined) return review.status.allowed === true;
  throw new Problem({
    code: status === 401 ? 'kubernetes.denied' : 'kubernetes.api',
    subject: 'SelfSubjectAccessReview',
    message: `expected the API server to say what is allowed, got ${status}`,
    remedy:
      status === 401
        ? 'Check the projected token of the pod.'
        : 'Try again; if this lasts, look at the API server.',
    retry: true,
  });
}
