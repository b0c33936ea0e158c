/**
 * Makes the Secrets of the namespace what the config's `secretObjects` say, after a publish.
 *
 * Idempotent, and silent when nothing differs: every Secret is read, compared, and applied only on a difference. A Secret of
 * somebody else's is never touched. One that cannot be applied does not stop the others.
 *
 *   1. Put the Secrets together from the published files.
 *   2. Read those of the cluster that have their names.
 *   3. Remove what the same config made earlier and names no more (the annotation of the others remembers it).
 *   4. Apply each that differs, on condition that it is still the one that was compared.
 */

import type { Plan } from '../config/plan.ts';
import type { Environment } from '../core/environment.ts';
import { Problem, problemsOf } from '../core/problem.ts';
import type { Snapshot } from '../publish/snapshot.ts';
import { type KubernetesApi, openApi } from './api.ts';
import { conflictingFields, toProblem } from './api-problems.ts';
import {
  applyBody,
  type DesiredSecret,
  desiredSecrets,
  needsApply,
  withOwner,
  withSiblings,
} from './desired-secret.ts';
import { readSecret, refuseForeign, secretRequest, unchangeable } from './existing-secret.ts';
import { inCluster } from './in-cluster.ts';
import {
  canDelete,
  configIdentity,
  type LiveSecret,
  managedNames,
  type OwnerReference,
  ownershipOf,
} from './live-secret.ts';
import { resolveOwner } from './owner-reference.ts';
import type { SecretOwner } from './rbac.ts';

/** What was published, and how its Secrets are to be. */
export interface SecretsRequest {
  readonly plan: Plan;
  /** What was published: its contents must not have been wiped yet. */
  readonly snapshot: Snapshot;
  readonly owner: SecretOwner;
  readonly env: Environment;
  readonly hostname: string;
  readonly signal: AbortSignal;
  /** Where the service account volume is mounted. Default: where the kubelet mounts it. */
  readonly serviceAccountDirectory?: string;
}

/** What came of one Secret. */
export interface AppliedSecret {
  readonly name: string;
  readonly result: 'created' | 'updated' | 'unchanged' | 'removed';
}

/** What came of all of them. */
export interface SecretsOutcome {
  readonly applied: readonly AppliedSecret[];
  /** Of stage `kubernetes`; each says by `retry` whether the same call can succeed later. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Applies the Secrets of a plan. Failures are in the outcome; only an abort by `signal` rejects. */
export async function applySecrets(request: SecretsRequest): Promise<SecretsOutcome> {
  const { plan, snapshot, signal } = request;
  if (plan.secretObjects.length === 0) return { applied: [], problems: [], warnings: [] };
  // (1)
  const desired = await desiredSecrets(plan, snapshot);
  try {
    const cluster = await inCluster(request.env, request.serviceAccountDirectory);
    const api = openApi(cluster, signal);
    try {
      const owner = await resolveOwner(api, request.owner, request.env, request.hostname);
      const outcome = await reconcile(api, plan, desired.secrets, owner);
      return {
        applied: outcome.applied,
        problems: [...desired.problems, ...outcome.problems],
        warnings: [...desired.warnings, ...outcome.warnings],
      };
    } finally {
      api.close();
    }
  } catch (error) {
    const problems = problemsOf(error);
    if (problems === undefined || signal.aborted) throw error;
    return { applied: [], problems: [...desired.problems, ...problems], warnings: desired.warnings };
  }
}

async function reconcile(
  api: KubernetesApi,
  plan: Plan,
  desired: readonly DesiredSecret[],
  owner: OwnerReference | undefined,
): Promise<SecretsOutcome> {
  const config = configIdentity(plan);
  // (2)
  const found = await settle(
    desired.map(async (secret) => ({ secret, live: await readSecret(api, secret.name) })),
  );
  // (3)
  const names = new Set(plan.secretObjects.map((object) => object.secretName));
  const remembered = found.values.flatMap(({ live }) =>
    live !== undefined && ownershipOf(live, config).kind === 'ours' ? managedNames(live) : [],
  );
  const left = [...new Set(remembered)].filter((name) => !names.has(name));
  const removals = await Promise.all(left.map((name) => removeSecret(api, name, config)));
  const pending = removals.flatMap((removal) => (removal.kind === 'pending' ? [removal.name] : []));
  // (4)
  const applied = await settle(
    found.values.map(async ({ secret, live }) =>
      applySecret(api, withSiblings(secret, [...names, ...pending]), live, owner, config),
    ),
  );
  return {
    applied: [
      ...applied.values,
      ...removals.flatMap(({ kind, name }) =>
        kind === 'removed' ? [{ name, result: 'removed' as const }] : [],
      ),
    ],
    problems: [...found.problems, ...applied.problems],
    warnings: removals.flatMap((removal) => (removal.kind === 'pending' ? [removal.warning] : [])),
  };
}

/** Waits for all of them; Problems are collected, anything else is a bug and is thrown. */
async function settle<T>(
  running: readonly Promise<T>[],
): Promise<{ readonly values: readonly T[]; readonly problems: readonly Problem[] }> {
  const values: T[] = [];
  const problems: Problem[] = [];
  for (const result of await Promise.allSettled(running)) {
    if (result.status === 'fulfilled') {
      values.push(result.value);
      continue;
    }
    const known = problemsOf(result.reason);
    if (known === undefined) throw result.reason;
    problems.push(...known);
  }
  return { values, problems };
}

type Removal =
  | { readonly kind: 'removed' | 'gone'; readonly name: string }
  /** Still ours, still there: remembered, and tried again at the next call. */
  | { readonly kind: 'pending'; readonly name: string; readonly warning: Problem };

async function removeSecret(api: KubernetesApi, name: string, config: string): Promise<Removal> {
  try {
    const live = await readSecret(api, name);
    if (live === undefined || !canDelete(live, config)) return { kind: 'gone', name };
    const request = secretRequest(api, 'delete', name);
    const preconditions = { uid: live.uid, resourceVersion: live.resourceVersion };
    const answer = await api.send(
      request,
      JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', preconditions }),
    );
    if (answer.status === 404) return { kind: 'gone', name };
    if (answer.status !== 200 && answer.status !== 202) throw toProblem(request, answer);
    return { kind: 'removed', name };
  } catch (error) {
    const [problem] = problemsOf(error) ?? [];
    if (problem === undefined) throw error;
    return { kind: 'pending', name, warning: leftBehind(problem) };
  }
}

function leftBehind(problem: Problem): Problem {
  return new Problem({
    code: problem.code,
    subject: problem.subject,
    message: `it left the config and could not be removed: ${problem.message}`,
    remedy: problem.remedy,
    cause: problem,
  });
}

/** Other pods of the workload may be applying the same at this moment; those that lose all races say that they may be tried again. */
const ATTEMPTS = 10;

async function applySecret(
  api: KubernetesApi,
  secret: DesiredSecret,
  found: LiveSecret | undefined,
  owner: OwnerReference | undefined,
  config: string,
): Promise<AppliedSecret> {
  const { name } = secret;
  let live = found;
  for (let attempt = 1; ; attempt++) {
    if (live !== undefined) refuseForeign(live, secret, config, api.namespace);
    const desired = withOwner(secret, owner, live);
    if (live !== undefined && !needsApply(desired, live)) return { name, result: 'unchanged' };
    if (live?.immutable)
      throw unchangeable(secret, api.namespace, 'one that can change, got an immutable one');
    const request = { ...secretRequest(api, 'patch', name), values: desired.data };
    const answer = await api.send(request, applyBody(desired, api.namespace, live));
    if (answer.status === 201) return { name, result: 'created' };
    if (answer.status === 200) return { name, result: 'updated' };
    const raced = answer.status === 409 && conflictingFields(answer.body).length === 0;
    if (!raced || attempt === ATTEMPTS) throw toProblem(request, answer);
    live = await readSecret(api, name);
  }
}
