/**
 * The least that a pod may be allowed in order to keep its Secrets: named Secrets, in its own namespace, and no list.
 *
 * Server-side apply is a `patch`, which the API server lets create an object only with `create` on that very name.
 */

import type { Mapping } from './data.ts';

export interface Grant {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly secretNames: readonly string[];
  /** To find what the pod belongs to, which only the pod itself can tell. */
  readonly readsOwners: boolean;
}

/** A Role and its RoleBinding for each service account. */
export function rbacOf(grant: Grant): readonly Mapping[] {
  const metadata = { name: `podsecrets-${grant.serviceAccount}`, namespace: grant.namespace };
  return [
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata,
      rules: [
        {
          apiGroups: [''],
          resources: ['secrets'],
          resourceNames: [...new Set(grant.secretNames)].toSorted(),
          verbs: ['get', 'create', 'patch', 'delete'],
        },
        ...(grant.readsOwners ? OWNERS : []),
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name },
      subjects: [{ kind: 'ServiceAccount', name: grant.serviceAccount, namespace: grant.namespace }],
    },
  ];
}

const OWNERS = [
  { apiGroups: [''], resources: ['pods'], verbs: ['get'] },
  { apiGroups: ['apps'], resources: ['replicasets'], verbs: ['get'] },
] as const;
