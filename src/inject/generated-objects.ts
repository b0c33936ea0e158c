/**
 * The objects that a workload needs: the ConfigMap of its config and, for Secrets, a Role and RoleBinding.
 */

import { Problem } from '../core/problem.ts';
import { asObject, textOf } from '../core/unknown.ts';
import { type RbacObject, rbacFor } from '../kubernetes/rbac.ts';
import type { Assignment } from './assign.ts';
import { isSame, type KubeObject } from './manifest.ts';
import type { InjectOptions } from './options.ts';
import { configMapOf, type Source } from './sources.ts';
import type { PlannedBinding } from './volumes.ts';
import type { Workload } from './workload.ts';

/** The objects, by identity: one ConfigMap for each namespace that has a pod which needs it, one Role for each config. */
export function generatedObjects(
  assignments: readonly Assignment<PlannedBinding>[],
  options: InjectOptions,
): ReadonlyMap<string, KubeObject> {
  const made = new Map<string, KubeObject>();
  for (const { workload, bindings } of assignments) {
    const namespace = workload.namespace ?? options.namespace;
    for (const { source } of bindings) {
      if (source.origin !== 'file') continue;
      const configMap = configMapOf(source, namespace);
      made.set(identityOf(configMap), configMap);
    }
    for (const object of options.syncSecrets ? rbacObjects(workload, bindings, options, namespace) : []) {
      const id = identityOf(object);
      made.set(id, merged(made.get(id), object));
    }
  }
  return made;
}

/** Kind, namespace and name: unique in a cluster. */
export function identityOf(object: KubeObject): string {
  const { name, namespace } = asObject(object.metadata);
  return JSON.stringify([object.kind, namespace ?? null, name ?? null]);
}

function rbacObjects(
  workload: Workload,
  bindings: readonly PlannedBinding[],
  options: InjectOptions,
  namespace: string | undefined,
): readonly KubeObject[] {
  const withSecrets = bindings.filter(({ plan }) => plan.secretObjects.length > 0);
  if (withSecrets.length > 0 && namespace === undefined) throw missingNamespace(workload);
  return withSecrets.flatMap(({ plan, source }) =>
    rbacFor(plan, {
      owner: options.secretOwner,
      serviceAccount: serviceAccountOf(workload.pod),
      namespace,
    }).map((object: RbacObject) => withHooks(object, source)),
  );
}

/** The Role gets the hooks of the class, so that Argo CD or Helm creates both in one phase: a PreSync Job would wait for a Role of a later one. */
function withHooks(object: RbacObject, { metadata }: Source): KubeObject {
  const hooks = Object.fromEntries(
    Object.entries(metadata.annotations ?? {}).filter(([name]) => HOOK.test(name)),
  );
  return Object.keys(hooks).length === 0
    ? { ...object }
    : { ...object, metadata: { ...object.metadata, annotations: hooks } };
}

const HOOK =
  /^(argocd\.argoproj\.io\/(hook|hook-delete-policy|sync-wave)|helm\.sh\/hook(-weight|-delete-policy)?)$/;

/** `serviceAccount` is the deprecated name of the field, which the API server still accepts and returns. */
function serviceAccountOf(pod: KubeObject): string {
  return textOf(pod.serviceAccountName) ?? textOf(pod.serviceAccount) ?? 'default';
}

/** A config that several service accounts use has one Role, and one binding with all of them. */
function merged(before: KubeObject | undefined, next: KubeObject): KubeObject {
  if (before?.subjects === undefined) return next;
  const subjects = [...(before.subjects as readonly unknown[])];
  for (const subject of next.subjects as readonly unknown[]) {
    if (!subjects.some((other) => isSame(other, subject))) subjects.push(subject);
  }
  return { ...next, subjects };
}

function missingNamespace(workload: Workload): Problem {
  return new Problem({
    code: 'usage.value',
    subject: '--namespace',
    message: `expected the namespace of ${workload.subject}, which a RoleBinding has to name, got none`,
    remedy: 'Add --namespace NAME, or metadata.namespace to the workload.',
  });
}
