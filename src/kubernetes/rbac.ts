/**
 * The minimal RBAC rules that a service account needs for `--sync-secrets`.
 *
 * Every rule on Secrets names them: a server-side apply carries the name in its path, so that even `create` can be limited to
 * names (a POST cannot). Nothing is listed or watched, because `list` cannot be limited to names. A Secret that
 * was removed from the config is found by an annotation instead, and deleted if `delete` on its name is still allowed. Names of
 * pods, ReplicaSets and Jobs are generated, so `--secret-owner workload` needs `get` on them without names.
 * `--adopt-driver-secrets` needs no additional verb: it reads and patches the same Secrets.
 */

import type { SecretOwner } from '../cli/options.ts';
import type { Plan } from '../config/plan.ts';
import { configIdentity, ownName } from './names.ts';

/** A rule of a Role. */
export interface RbacRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** A Role or its RoleBinding, as a manifest. */
export interface RbacObject {
  readonly apiVersion: 'rbac.authorization.k8s.io/v1';
  readonly kind: 'Role' | 'RoleBinding';
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly RbacRule[];
  readonly subjects?: readonly {
    readonly kind: 'ServiceAccount';
    readonly name: string;
    readonly namespace?: string;
  }[];
  readonly roleRef?: { readonly apiGroup: string; readonly kind: 'Role'; readonly name: string };
}

/** The subject of the RoleBinding, and the owner of the Secrets. */
export interface RbacRequest {
  readonly owner: SecretOwner;
  readonly serviceAccount: string;
  /** Left out of the manifests if undefined: `kubectl apply` then chooses the namespace. */
  readonly namespace?: string | undefined;
}

/** The Role and its RoleBinding for a config; an empty list without `secretObjects`. */
export function rbacFor(plan: Plan, request: RbacRequest): readonly RbacObject[] {
  const names = plan.secretObjects.map((object) => object.secretName);
  if (names.length === 0) return [];
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const place = request.namespace === undefined ? {} : { namespace: request.namespace };
  const metadata = { name: roleName(plan), ...place };
  return [
    { apiVersion, kind: 'Role', metadata, rules: [secretRule(names), ...ownerRules(request)] },
    {
      apiVersion,
      kind: 'RoleBinding',
      metadata,
      subjects: [{ kind: 'ServiceAccount', name: request.serviceAccount, ...place }],
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name },
    },
  ];
}

/** The rules that a sync needs: those of the Role without `delete`, which only a later change of the config needs. */
export function rulesNeeded(plan: Plan, owner: SecretOwner): readonly RbacRule[] {
  const [role] = rbacFor(plan, { owner, serviceAccount: '' });
  return (role?.rules ?? []).map((rule) => ({
    ...rule,
    verbs: rule.verbs.filter((verb) => verb !== 'delete'),
  }));
}

function roleName(plan: Plan): string {
  const config = configIdentity(plan);
  return config === 'podsecrets' ? config : (ownName(config) ?? 'podsecrets');
}

function secretRule(names: readonly string[]): RbacRule {
  const resourceNames = [...new Set(names)].sort();
  // `delete` is for an entry that leaves the config while the Role still names it, and for clusters with the admission plugin
  // OwnerReferencesPermissionEnforcement, which lets only an account that may delete a Secret change its owner.
  return {
    apiGroups: [''],
    resources: ['secrets'],
    resourceNames,
    verbs: ['get', 'create', 'patch', 'delete'],
  };
}

function ownerRules({ owner }: RbacRequest): readonly RbacRule[] {
  // With `pod`, name and uid come from the downward API.
  if (owner !== 'workload') return [];
  const get = (group: string, resource: string) => ({
    apiGroups: [group],
    resources: [resource],
    verbs: ['get'],
  });
  return [get('', 'pods'), get('apps', 'replicasets'), get('batch', 'jobs')];
}

/** A rule as one line of YAML: `- {apiGroups: [""], resources: ["secrets"], …}`. */
export function ruleText(rule: RbacRule): string {
  const parts = Object.entries(rule).map(
    ([name, values]) => `${name}: ${JSON.stringify(values).replaceAll(',', ', ')}`,
  );
  return `- {${parts.join(', ')}}`;
}
