/**
 * Checks whether `--sync-secrets` can work: what the service account may do, and who owns the Secrets that exist.
 *
 * For `doctor`: nothing is written. Every verb on every name is reviewed separately, so that the result is exactly the missing
 * rules.
 */

import type { SecretOwner } from '../cli/options.ts';
import type { Plan, SecretObject } from '../config/plan.ts';
import { Problem, throwProblems } from '../core/problem.ts';
import type { KubernetesApi } from './api.ts';
import { type OwnershipTerms, readSecret, rejectForeign } from './live-secret.ts';
import { configIdentity } from './names.ts';
import { type RbacRule, rulesNeeded, ruleText } from './rbac.ts';

/** The settings that determine the required access. */
export interface AccessOptions {
  readonly secretOwner: SecretOwner;
  readonly adoptDriverSecrets: boolean;
}

/** Throws the Problems: missing rules, or Secrets that other managers own. */
export async function checkAccess(
  api: KubernetesApi,
  plan: Plan,
  { secretOwner: owner, adoptDriverSecrets }: AccessOptions,
): Promise<void> {
  const rules = rulesNeeded(plan, owner);
  const missing = (await Promise.all(rules.map((rule) => missingOf(api, rule)))).flat();
  if (missing.length > 0) throw missingRules(api.namespace, missing);
  const terms = { config: configIdentity(plan), namespace: api.namespace, adoptDriverSecrets };
  const problems = await Promise.all(plan.secretObjects.map((object) => problemOf(api, object, terms)));
  throwProblems(problems.flatMap((problem) => problem ?? []));
}

function missingRules(namespace: string, rules: readonly RbacRule[]): Problem {
  return new Problem({
    code: 'kubernetes.denied',
    subject: `namespace ${namespace}`,
    message: 'the service account lacks permissions for --sync-secrets',
    remedy: `Add to a Role in namespace ${namespace}: ${rules.map(ruleText).join(' ')}`,
  });
}

/** Why this Secret cannot be applied, because of the one in the cluster. */
async function problemOf(
  api: KubernetesApi,
  { secretName, type }: SecretObject,
  terms: OwnershipTerms,
): Promise<Problem | undefined> {
  try {
    const live = await readSecret(api, secretName);
    if (live !== undefined) rejectForeign(live, { name: secretName, type }, terms);
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

/** The rule, reduced to the verbs and names that are not allowed; an empty list if all are. */
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
    message: `unexpected response (${status}) to an access review`,
    remedy:
      status === 401
        ? 'Check the projected token of the pod.'
        : 'Try again; if this persists, check the API server.',
    retry: true,
  });
}
