/**
 * Applies the config's `secretObjects` as Kubernetes Secrets, after a publish.
 *
 * Idempotent: every Secret is read, compared, and applied only if it differs. A Secret that another manager owns is never
 * changed, except that of the CSI driver with `--adopt-driver-secrets`. One that cannot be applied does not stop the others.
 *
 *   1. Build the Secrets from the published files.
 *   2. Read the Secrets of these names from the cluster.
 *   3. Delete Secrets that the same config created earlier and no longer names (an annotation on the others lists them).
 *   4. Apply each that differs, on condition that it is still the one that was compared.
 */

import type { SecretOwner } from '../cli/options.ts';
import type { Plan } from '../config/plan.ts';
import type { Environment } from '../core/environment.ts';
import { Problem, problemsOf, problemsOrThrow } from '../core/problem.ts';
import type { Snapshot } from '../publish/snapshot.ts';
import type { KubernetesApi } from './api.ts';
import { conflictingFields, type KubernetesRequest, toProblem } from './api-problems.ts';
import {
  applyBody,
  type DesiredSecret,
  desiredSecrets,
  needsApply,
  quotesValue,
  withOwner,
  withSiblings,
} from './desired-secret.ts';
import { removeDriverPart } from './driver-secrets.ts';
import {
  canDelete,
  type LiveSecret,
  managedNames,
  type OwnerReference,
  type OwnershipTerms,
  ownershipOf,
  readSecret,
  rejectForeign,
  secretRequest,
  unchangeable,
} from './live-secret.ts';
import { configIdentity } from './names.ts';
import { resolveOwner } from './owner-reference.ts';

/** The published files, and how to apply their Secrets. */
export interface SecretsRequest {
  readonly plan: Plan;
  /** The published files. */
  readonly snapshot: Snapshot;
  readonly owner: SecretOwner;
  /** Take over Secrets that the CSI driver created. */
  readonly adoptDriverSecrets: boolean;
  readonly env: Environment;
  readonly hostname: string;
  readonly signal: AbortSignal;
  /** Throws a Problem outside a cluster. */
  readonly openApi: () => Promise<KubernetesApi>;
}

/** The outcome for one Secret; `adopted`: taken over from the CSI driver, with the values that it has now. */
interface AppliedSecret {
  readonly name: string;
  readonly result: 'created' | 'updated' | 'adopted' | 'unchanged' | 'removed';
}

/** The outcome for all of them. */
export interface SecretsOutcome {
  readonly applied: readonly AppliedSecret[];
  /** Of stage `kubernetes`; `retry` of each is true if the same call can succeed later. */
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
    const api = await request.openApi();
    try {
      const owner = await resolveOwner(api, request.owner, request.env, request.hostname);
      const outcome = await reconcile(api, request, desired.secrets, owner);
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
  { plan, adoptDriverSecrets }: SecretsRequest,
  desired: readonly DesiredSecret[],
  owner: OwnerReference | undefined,
): Promise<SecretsOutcome> {
  const config = configIdentity(plan);
  const terms = { config, namespace: api.namespace, adoptDriverSecrets };
  // (2)
  const found = await settle(
    desired.map(async (secret) => ({ secret, live: await readSecret(api, secret.name) })),
  );
  // (3)
  const names = new Set(plan.secretObjects.map((object) => object.secretName));
  const earlier = found.values.flatMap(({ live }) =>
    live !== undefined && ownershipOf(live, config).kind === 'own' ? managedNames(live) : [],
  );
  const left = [...new Set(earlier)].filter((name) => !names.has(name));
  const removals = await Promise.all(left.map((name) => removeSecret(api, name, config)));
  const retained = removals.flatMap((removal) => (removal.kind === 'retained' ? [removal.name] : []));
  // (4)
  const applied = await settle(
    found.values.map(async ({ secret, live }) =>
      applySecret(api, withSiblings(secret, [...names, ...retained]), live, owner, terms),
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
    warnings: removals.flatMap((removal) => (removal.kind === 'retained' ? [removal.warning] : [])),
  };
}

/** Waits for all. Problems are collected; any other error is a bug and is thrown. */
async function settle<T>(
  running: readonly Promise<T>[],
): Promise<{ readonly values: readonly T[]; readonly problems: readonly Problem[] }> {
  const values: T[] = [];
  const problems: Problem[] = [];
  for (const result of await Promise.allSettled(running)) {
    if (result.status === 'fulfilled') values.push(result.value);
    else problems.push(...problemsOrThrow(result.reason));
  }
  return { values, problems };
}

type Removal =
  | { readonly kind: 'removed' | 'gone'; readonly name: string }
  /** Could not be deleted: the name stays in the annotation, and the next call retries. */
  | { readonly kind: 'retained'; readonly name: string; readonly warning: Problem };

async function removeSecret(api: KubernetesApi, name: string, config: string): Promise<Removal> {
  try {
    const live = await readSecret(api, name);
    if (live === undefined || !canDelete(live, config)) return { kind: 'gone', name };
    const request = secretRequest(api, 'delete', name);
    const preconditions = { uid: live.uid, resourceVersion: live.resourceVersion };
    const response = await api.send(
      request,
      JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', preconditions }),
    );
    if (response.status === 404) return { kind: 'gone', name };
    if (response.status !== 200 && response.status !== 202) throw toProblem(request, response);
    return { kind: 'removed', name };
  } catch (error) {
    const [problem] = problemsOrThrow(error);
    return { kind: 'retained', name, warning: notRemoved(problem) };
  }
}

function notRemoved(problem: Problem): Problem {
  return new Problem({
    code: problem.code,
    subject: problem.subject,
    message: `is no longer in the config and could not be deleted: ${problem.message}`,
    remedy: problem.remedy,
    cause: problem,
  });
}

/** Other pods of the workload may apply the same Secret at the same time. After this many conflicts the Problem is retried later. */
const ATTEMPTS = 10;

async function applySecret(
  api: KubernetesApi,
  secret: DesiredSecret,
  found: LiveSecret | undefined,
  owner: OwnerReference | undefined,
  terms: OwnershipTerms,
): Promise<AppliedSecret> {
  const { name } = secret;
  let live = found;
  let adopting = false;
  for (let attempt = 1; ; attempt++) {
    if (live !== undefined) rejectForeign(live, secret, terms);
    const desired = withOwner(secret, owner, live);
    if (terms.adoptDriverSecrets && live?.driver !== undefined) {
      adopting = true;
      live = (await removeDriverPart(api, desired, live)) ?? (await rereadAfterConflict(attempt));
      continue;
    }
    if (!adopting && live !== undefined && !needsApply(desired, live)) return { name, result: 'unchanged' };
    if (live?.immutable) throw unchangeable(secret, api.namespace, 'is immutable');
    const request: KubernetesRequest = {
      ...secretRequest(api, 'patch', name),
      patch: adopting ? 'forcedApply' : 'apply',
      quotesValue: (text) => quotesValue(text, desired.data.values()),
    };
    const response = await api.send(request, applyBody(desired, api.namespace, live));
    if (response.status === 201) return { name, result: 'created' };
    if (response.status === 200) return { name, result: adopting ? 'adopted' : 'updated' };
    const isConcurrent = response.status === 409 && conflictingFields(response.body).length === 0;
    if (!isConcurrent || attempt >= ATTEMPTS) throw toProblem(request, response);
    live = await readSecret(api, name);
  }

  /** The Secret after another writer changed it. */
  async function rereadAfterConflict(attempt: number): Promise<LiveSecret | undefined> {
    if (attempt >= ATTEMPTS) throw toProblem(secretRequest(api, 'patch', name), CHANGED);
    return await readSecret(api, name);
  }
}

const CHANGED = { status: 409, body: undefined, retryAfter: undefined };
