/**
 * One sync: reads the configs, fetches for all of them at once, publishes each, applies its Kubernetes Secrets, and reports.
 *
 * `init` runs it in its own process, a sidecar in a worker. Nothing is published unless every object of a config that is not
 * optional was fetched and rendered; a failure leaves the published files unchanged. Configs are independent: one that fails
 * does not delay the others.
 */

import { type FetchRequest, fetchValues, type SecretSource } from '../aws/fetcher.ts';
import type { CredentialsInUse } from '../aws/sources.ts';
import { expectedPaths, type Plan, type PlannedObject } from '../config/plan.ts';
import type { FetchResults } from '../config/secret-ref.ts';
import { problemsOrThrow } from '../core/problem.ts';
import { problemMessage } from '../core/problem-fields.ts';
import type { Directory } from '../publish/directory.ts';
import type { DirectoryHandle } from '../publish/held-directory.ts';
import type { KeptFiles } from '../publish/kept-files.ts';
import type { Announce } from '../publish/publish.ts';
import type { Snapshot } from '../publish/snapshot.ts';
import type { KeptValue } from '../render/render.ts';
import { recordPinned, reusePinned } from './pinned.ts';
import { type PlanReader, type UsablePlan, usablePlans } from './plans.ts';
import { publishedMessage, renderSet } from './rendered-set.ts';
import type { Report } from './report.ts';
import type { ConfigRequest, RunSync, SyncRequest } from './request.ts';

/** Applies the Kubernetes Secrets of a plan; throws Problems of stage `kubernetes`. */
export type ApplySecrets = (plan: Plan, published: Snapshot, stop: AbortSignal) => Promise<void>;

/** The directory of a config. */
interface SyncDirectory extends Directory {
  readonly keptFiles: KeptFiles;
}

/** The dependencies of a sync. */
export interface SyncWorkerOptions extends Omit<PlanReader, 'checkIdentity'> {
  /** The source with the identity of a plan. Throws a Problem if it is not available. */
  readonly sourceOf: (plan: Plan) => SecretSource;
  /** The credentials in use; undefined: none yet. */
  readonly credentials: () => CredentialsInUse | undefined;
  readonly openDirectory: (directory: DirectoryHandle) => SyncDirectory;
  /** Whether there are notifiers. */
  readonly hasNotifiers: boolean;
  /** Whether the first publish of a process is notified too. */
  readonly notifyOnStart: boolean;
  /** undefined: no Kubernetes Secrets are applied. */
  readonly applySecrets: ApplySecrets | undefined;
  /** Whether a Kubernetes Secret of the plans is not as it was applied. Throws Problems. */
  readonly areSecretsStale: (plans: readonly Plan[], stop: AbortSignal) => Promise<boolean>;
}

/** A config in a sync. */
interface Target {
  readonly index: number;
  readonly config: ConfigRequest;
  readonly plan: Plan;
  /** The plan was published once. */
  readonly isVerified: boolean;
  readonly directory: SyncDirectory;
  /** Objects that need not be fetched. */
  readonly kept: ReadonlyMap<PlannedObject, KeptValue>;
  /** The plan without them. */
  readonly toFetch: Plan;
}

/** Syncs in this process. */
export function createSyncWorker(options: SyncWorkerOptions): RunSync {
  return async (request, report, stop) => {
    const checkIdentity = (plan: Plan): void => void options.sourceOf(plan);
    const plans = await usablePlans(request.configs, { ...options, checkIdentity }, report);
    if (plans === undefined || request.work === 'plan') return;
    if (request.work === 'secrets') {
      const read = plans.map(({ plan }) => plan);
      if (await options.areSecretsStale(read, stop)) report({ kind: 'secretsStale' });
      return;
    }
    await syncAll(openTargets(request, plans, options, report), request, options, report, stop);
  };
}

function openTargets(
  { configs }: SyncRequest,
  plans: readonly UsablePlan[],
  options: SyncWorkerOptions,
  report: Report,
): readonly Target[] {
  const targets: Target[] = [];
  for (const [index, { plan, isChanged }] of plans.entries()) {
    const config = configs[index] as ConfigRequest;
    const directory = options.openDirectory(config.directory);
    const { region, failoverRegion } = plan;
    const secrets = appliesSecrets(plan, options) ? secretsDescription(plan) : undefined;
    report({ kind: 'plan', config: index, region, failoverRegion, paths: expectedPaths(plan), secrets });
    const isVerified = config.isVerified && !isChanged;
    const kept = reusePinned(plan, config.pinned, isVerified, directory.keptFiles);
    const toFetch = { ...plan, objects: plan.objects.filter((object) => !kept.has(object)) };
    targets.push({ index, config, plan, isVerified, directory, kept, toFetch });
  }
  return targets;
}

async function syncAll(
  targets: readonly Target[],
  { phase, renderLast }: SyncRequest,
  options: SyncWorkerOptions,
  report: Report,
  stop: AbortSignal,
): Promise<void> {
  reportCredentials(options, report);
  report({ kind: 'stage', stage: 'fetch', config: undefined });
  const requests = targets.map(
    ({ plan, toFetch, isVerified }): FetchRequest => ({
      plan: toFetch,
      source: options.sourceOf(plan),
      bothRegions: phase === 'start' || !isVerified,
    }),
  );
  const results = await fetchValues(requests, stop);
  reportCredentials(options, report);
  const first = [...targets.keys()].filter((at) => !renderLast.includes(at));
  for (const at of [...first, ...renderLast]) {
    const target = targets[at] as Target;
    try {
      await syncTarget(target, results[at] ?? new Map(), options, report, stop);
    } catch (error) {
      report({ kind: 'failed', config: target.index, problems: problemsOrThrow(error).map(problemMessage) });
    }
  }
}

async function syncTarget(
  target: Target,
  results: FetchResults,
  options: SyncWorkerOptions,
  report: Report,
  stop: AbortSignal,
): Promise<void> {
  const { index, config, plan, isVerified, directory, kept } = target;
  report({ kind: 'stage', stage: 'render', config: index });
  const { publishedFiles } = config;
  const set = await renderSet({ plan, isVerified, publishedFiles, kept }, results);
  const { rendered } = set;
  // The report follows the publish in the same iteration of the event loop, so SIGTERM is not handled between them.
  const published = await directory.publish(rendered.snapshot, { announce: announceOf(config, options) });
  report({
    ...publishedMessage(index, set, published, plan.envFile !== undefined),
    appliesSecrets: appliesSecrets(plan, options),
    pinned: recordPinned(rendered, directory.keptFiles),
  });
  if (options.applySecrets === undefined) return;
  report({ kind: 'stage', stage: 'secrets', config: index });
  await options.applySecrets(plan, rendered.snapshot, stop);
  if (!appliesSecrets(plan, options)) return;
  await directory.recordAppliedSecrets(published.generation, secretsDescription(plan));
  report({ kind: 'applied', config: index });
}

function announceOf(
  { publishedFiles }: ConfigRequest,
  { hasNotifiers, notifyOnStart }: SyncWorkerOptions,
): Announce {
  if (!hasNotifiers) return 'never';
  if (publishedFiles !== undefined) return 'changes';
  return notifyOnStart ? 'always' : 'replacing';
}

function reportCredentials({ credentials }: SyncWorkerOptions, report: Report): void {
  const inUse = credentials();
  if (inUse !== undefined) report({ kind: 'credentials', ...inUse });
}

/** Whether ready includes the plan's Kubernetes Secrets. */
function appliesSecrets({ secretObjects }: Plan, { applySecrets }: SyncWorkerOptions): boolean {
  return applySecrets !== undefined && secretObjects.length > 0;
}

/** The Secrets of a plan, without values, for comparison with the plan of a later process. */
function secretsDescription({ secretObjects }: Plan): string {
  return JSON.stringify(
    secretObjects.map(({ secretName, type, labels, annotations, data }) => ({
      secretName,
      type,
      labels,
      annotations,
      data,
    })),
  );
}
