/**
 * One config and the directory it publishes to.
 *
 * Nothing is published unless every object that is not optional was fetched and rendered; a failure leaves the published files
 * unchanged. A missing object or a failing region is logged when it begins and when it ends, not at every refresh.
 */

import { selectRegion } from '../aws/failover.ts';
import type { FetchRequest, SecretSource } from '../aws/fetcher.ts';
import { expectedPaths, type Plan, type PlannedObject } from '../config/plan.ts';
import type { FetchResults } from '../config/secret-ref.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { distinct, type Problem, throwProblems } from '../core/problem.ts';
import { timeText } from '../core/text.ts';
import type { Directory } from '../publish/directory.ts';
import type { HeldDirectory, UndeliveredNames } from '../publish/held-directory.ts';
import type { Published } from '../publish/publish.ts';
import { type Rendered, render, type SelectedValue } from '../render/render.ts';
import type { Phase } from './backoff.ts';
import { type ConfigStatus, type FileStatus, problemStatus, type VariableStatus } from './status.ts';

/** Where a target publishes: a directory that is held, and a writer to it. */
export type PublishTarget = Directory &
  Pick<
    HeldDirectory,
    'holds' | 'appliedSecrets' | 'pendingNotification' | 'clearPendingNotification' | 'removeReplaced'
  >;

/** A publish of this target. */
export interface TargetPublished extends Published {
  /** The first publish of this process. */
  readonly isFirst: boolean;
  /** The number of variables in `envFile`; undefined without the file. */
  readonly variables?: number | undefined;
}

/** The files to publish, and the problems of objects that do not prevent it. */
interface RenderedTarget extends Rendered {
  readonly missing: readonly ObjectProblem[];
  readonly degradedObjects: readonly ObjectProblem[];
}

/** An object and its problem. */
interface ObjectProblem {
  readonly name: string;
  readonly problem: Problem;
}

/** A config, its directory, and the state of both. */
export interface SyncTarget {
  /** '' for `exec` without a directory. */
  readonly directory: string;
  plan(): Plan;
  /** The directory holds a complete generation: of this process, or of an earlier one. */
  isReady(): boolean;
  /** What the next sync fetches. */
  fetchRequest(phase: Phase): FetchRequest;
  /** The files of the fetched values. Throws the problems of all objects that have no value. */
  renderFiles(results: FetchResults): Promise<RenderedTarget>;
  /** Publishes them. Rejects with a Problem of stage `publish`. */
  publish(rendered: RenderedTarget): Promise<TargetPublished>;
  /** Removes replaced generations that nothing needs any more. Rejects with a Problem. */
  removeReplaced(): Promise<void>;
  /** The Kubernetes Secrets of this generation were applied. */
  recordSecrets(generation: string): Promise<void>;
  /** A sync of this target failed. */
  recordFailure(problems: readonly Problem[]): void;
  /** Names that an earlier process published and did not notify of. Throws a Problem. */
  pendingNotification(): UndeliveredNames;
  /** Every notifier has delivered what was stored with this generation. Throws a Problem. */
  clearPendingNotification(generation: string): void;
  /** Uses a new plan; its files follow with the next publish. */
  setPlan(plan: Plan): void;
  /** The config on disk is invalid: the plan stays. An empty list: it is valid again. */
  setConfigProblems(problems: readonly Problem[]): void;
  /** The problems of the config on disk. */
  configProblems(): readonly Problem[];
  status(): ConfigStatus;
}

/** What a target is made of. */
export interface SyncTargetOptions {
  readonly directory: string;
  readonly plan: Plan;
  readonly target: PublishTarget;
  /** The source with the identity that a plan asks for. */
  readonly sourceOf: (plan: Plan) => SecretSource;
  /** Whether the plan's Kubernetes Secrets are applied too: ready then includes them. */
  readonly syncSecrets: boolean;
  /** Whether there are notifiers. */
  readonly hasNotifiers: boolean;
  /** Notify of the first publish of a process too. */
  readonly notifyOnStart: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** A target that has published nothing yet. */
export function createSyncTarget(options: SyncTargetOptions): SyncTarget {
  const { directory, target, sourceOf, hasNotifiers, notifyOnStart, clock, log } = options;
  let { plan } = options;
  const needsSecrets = () => options.syncSecrets && plan.secretObjects.length > 0;
  let ready =
    target.holds(expectedPaths(plan)) &&
    (!needsSecrets() || target.appliedSecrets() === secretsDescription(plan));
  /** Until a plan's first success both regions are read. */
  let verifiedOnce = false;
  let hasPublished = false;
  let files: readonly FileStatus[] = [];
  let variables: readonly VariableStatus[] | undefined;
  let missingOptional: readonly string[] = [];
  let degraded: readonly string[] = [];
  let warnedVariables: readonly string[] = [];
  let configProblems: readonly Problem[] = [];
  let lastErrors: readonly Problem[] = [];
  let lastSuccess: number | undefined;
  let lastChange: number | undefined;
  let lastFailure: number | undefined;

  async function renderFiles(results: FetchResults): Promise<RenderedTarget> {
    const { selected, missing, degradedObjects } = selectValues(plan, results);
    return { ...(await render(plan, selected)), missing, degradedObjects };
  }

  async function publish(rendered: RenderedTarget): Promise<TargetPublished> {
    const { snapshot, facts, variableWarnings, missing, degradedObjects } = rendered;
    const isFirst = !hasPublished;
    const first = notifyOnStart ? 'always' : 'replacing';
    const announce = !hasNotifiers ? 'never' : isFirst ? first : 'changes';
    const published = await target.publish(snapshot, { announce });
    hasPublished = true;
    verifiedOnce = true;
    if (!needsSecrets()) ready = true;
    lastSuccess = clock.now();
    if (published.change.kind === 'changed') lastChange = lastSuccess;
    files = filesStatus(facts, files, isFirst, timeText(lastSuccess));
    if (published.warning !== undefined)
      log.problem('publish.warning', published.warning, { config: plan.file });
    variables = plan.envFile === undefined ? undefined : rendered.variables.map(withoutValue);
    missingOptional = logTransitions(missingOptional, missing, {
      onBegin: (object) => log.problem('object.missing', object.problem, { config: plan.file }),
      onEnd: (name) => log.write('object.found', `${name} exists again`, { config: plan.file, object: name }),
    });
    warnedVariables = logTransitions(warnedVariables, variableWarnings, {
      onBegin: ({ problem }) => log.problem('config.warning', problem, { config: plan.file }),
      onEnd: () => {},
    });
    degraded = logTransitions(degraded, degradedObjects, {
      onBegin: (object) => log.problem('region.failing', object.problem, { config: plan.file }),
      onEnd: (name) =>
        log.write('region.recovered', `${name} is served by both regions again`, {
          config: plan.file,
          object: name,
        }),
    });
    return { ...published, isFirst, variables: variables?.length };
  }

  return {
    directory,
    plan: () => plan,
    isReady: () => ready,
    fetchRequest: (phase) => ({
      plan,
      source: sourceOf(plan),
      bothRegions: phase === 'start' || !verifiedOnce,
    }),
    renderFiles,
    publish,
    removeReplaced: () => target.removeReplaced(),
    async recordSecrets(generation) {
      if (needsSecrets()) await target.recordAppliedSecrets(generation, secretsDescription(plan));
      ready = true;
    },
    recordFailure(problems) {
      lastFailure = clock.now();
      lastErrors = problems;
    },
    pendingNotification: () => target.pendingNotification(),
    clearPendingNotification: (generation) => target.clearPendingNotification(generation),
    setPlan(next) {
      plan = next;
      verifiedOnce = false;
    },
    setConfigProblems(problems) {
      configProblems = problems;
    },
    configProblems: () => configProblems,
    status: () => ({
      file: plan.file,
      directory,
      region: plan.region,
      failoverRegion: plan.failoverRegion,
      ready,
      lastSuccess: optionalTime(lastSuccess),
      lastChange: optionalTime(lastChange),
      lastFailure: optionalTime(lastFailure),
      lastErrors: distinct(lastErrors).map(problemStatus),
      configProblems: configProblems.map(problemStatus),
      files,
      variables: variables ?? [],
      missingOptional,
    }),
  };
}

/** The Secrets of a plan, without values: what a later process compares with its own plan. */
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

/** The value of each object. Throws the problems of all that have none. */
function selectValues(plan: Plan, results: FetchResults) {
  const selected = new Map<PlannedObject, SelectedValue>();
  const missing: ObjectProblem[] = [];
  const degradedObjects: ObjectProblem[] = [];
  const failures: Problem[] = [];
  for (const object of plan.objects) {
    const selection = selectRegion(object, results);
    switch (selection.kind) {
      case 'value':
        selected.set(object, {
          value: selection.value.value,
          version: selection.value.version,
          region: selection.region,
        });
        if (selection.degraded !== undefined)
          degradedObjects.push({ name: object.name, problem: selection.degraded });
        break;
      case 'absent':
        missing.push({ name: object.name, problem: selection.problem });
        break;
      case 'failed':
        failures.push(...selection.problems);
        break;
      default:
        selection satisfies never;
    }
  }
  throwProblems(distinct(failures));
  return { selected, missing, degradedObjects };
}

/** Calls back for what is new in a list and what is gone from it; returns the names that are in it now. */
function logTransitions(
  before: readonly string[],
  now: readonly ObjectProblem[],
  callbacks: { readonly onBegin: (object: ObjectProblem) => void; readonly onEnd: (name: string) => void },
): readonly string[] {
  const names = now.map(({ name }) => name);
  for (const object of now) if (!before.includes(object.name)) callbacks.onBegin(object);
  for (const name of before) if (!names.includes(name)) callbacks.onEnd(name);
  return names;
}

/** Each file; `changedAt` is when this process saw its version change. */
function filesStatus(
  facts: Rendered['facts'],
  before: readonly FileStatus[],
  isFirst: boolean,
  now: string,
): readonly FileStatus[] {
  const known = new Map(before.map((file) => [file.path, file]));
  return facts.map(({ path, object, service, region, version }) => {
    const old = known.get(path);
    const changedAt = old?.version === version ? old.changedAt : isFirst ? undefined : now;
    return { path, object, service, region, version, changedAt };
  });
}

function withoutValue({
  name,
  object,
  service,
  region,
  version,
}: Rendered['variables'][number]): VariableStatus {
  return { name, object, service, region, version };
}

function optionalTime(at: number | undefined): string | undefined {
  return at === undefined ? undefined : timeText(at);
}
