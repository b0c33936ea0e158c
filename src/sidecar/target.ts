/**
 * One config and the directory it publishes to.
 *
 * Nothing is published unless every object that is not optional was fetched and rendered; a failure leaves the files that
 * are there untouched. What is worth telling a person is told when it begins and when it ends, not at every refresh.
 */

import { selectRegion } from '../aws/failover.ts';
import type { FetchRequest, SecretSource } from '../aws/fetcher.ts';
import { expectedPaths, type Plan, type PlannedObject } from '../config/plan.ts';
import type { FetchResults } from '../config/secret-ref.ts';
import type { Clock } from '../core/clock.ts';
import type { FilePath } from '../core/file-path.ts';
import type { Log } from '../core/log.ts';
import { distinct, type Problem, throwProblems } from '../core/problem.ts';
import { changeToNotify } from '../notify/pending-names.ts';
import type { Change, Changed, Snapshot } from '../publish/snapshot.ts';
import { type Rendered, render, type SelectedValue } from '../render/render.ts';
import type { Phase } from './backoff.ts';
import { type ConfigStatus, type FileStatus, momentText, problemStatus } from './status.ts';

/** Where files go. */
export interface PublishTarget {
  /** Whether a set is in use that has all of these files: published by this process or by one before it. */
  holds(paths: readonly FilePath[]): boolean;
  /**
   * Makes the directory hold exactly this set, in one step, or throws a Problem of stage `publish` and leaves it as it was.
   * What `telling` makes of a change is remembered with the set until `told`, beyond the end of the process.
   */
  publish(next: Snapshot, notify: (change: Changed) => Changed | undefined): Change;
  /** What is remembered: changes that the application may not have heard of. */
  pendingNotification(): Changed | undefined;
  /** The application has heard of everything. */
  clearPendingNotification(): void;
  /** What was recorded with the set in use as applied to Kubernetes; undefined: nothing. Throws a Problem. */
  appliedSecrets(): string | undefined;
  /** Records it, beyond the end of the process. */
  recordAppliedSecrets(text: string): void;
}

/** What came of a publish. */
export interface Published {
  readonly change: Change;
  /** The first publish of this process. */
  readonly first: boolean;
  /** What the application is to hear of it. */
  readonly notify: Changed | undefined;
}

/** What is to be published, and what is to be said of its objects. */
interface RenderedTarget extends Rendered {
  readonly missing: readonly ObjectProblem[];
  readonly degradedObjects: readonly ObjectProblem[];
}

/** An object, and what stands against it. */
interface ObjectProblem {
  readonly name: string;
  readonly problem: Problem;
}

/** A config, its directory, and what is known of both. */
export interface SyncTarget {
  readonly directory: string;
  plan(): Plan;
  /** The directory holds a complete set: of this process, or of one before it. */
  isReady(): boolean;
  /** What the next pass is to ask. */
  fetchRequest(phase: Phase): FetchRequest;
  /** The files that were fetched, and what stands against others. Throws the problems of all objects that have no value. */
  renderFiles(outcomes: FetchResults): Promise<RenderedTarget>;
  /** Publishes them. Throws every problem that stands against it. */
  publish(prepared: RenderedTarget): Published;
  /** The Kubernetes Secrets of what was published were applied. */
  recordSecrets(): void;
  /** A pass failed for this one. */
  recordFailure(problems: readonly Problem[]): void;
  /** What an earlier process published, and could not tell. Throws a Problem. */
  pendingNotification(): Changed | undefined;
  /** The application has heard of everything that was published. */
  clearPendingNotification(): void;
  /** Takes a new plan into force; its files follow with the next publish. */
  setPlan(plan: Plan): void;
  /** A new config that is broken: the plan in force stays. An empty list: it is whole again. */
  setConfigProblems(problems: readonly Problem[]): void;
  /** What is wrong with the config on disk. */
  configProblems(): readonly Problem[];
  status(): ConfigStatus;
}

/** What a publication is opened with. */
export interface SyncTargetOptions {
  readonly directory: string;
  readonly plan: Plan;
  readonly target: PublishTarget;
  /** The source with the identity that a plan asks for. */
  readonly sourceOf: (plan: Plan) => SecretSource;
  /** The plan's Kubernetes Secrets are applied as well: ready includes them. */
  readonly syncSecrets: boolean;
  /** Whether there is an application to tell. */
  readonly hasNotifiers: boolean;
  /** Tell also about the first publish of a process. */
  readonly notifyOnStart: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** A publication that has published nothing yet. */
export function createSyncTarget(options: SyncTargetOptions): SyncTarget {
  const { directory, target, sourceOf, hasNotifiers, notifyOnStart, clock, log } = options;
  let { plan } = options;
  const needsSecrets = () => options.syncSecrets && plan.secretObjects.length > 0;
  let ready =
    target.holds(expectedPaths(plan)) &&
    (!needsSecrets() || target.appliedSecrets() === secretsDescription(plan));
  /** Until a plan's first success both regions are asked. */
  let verifiedOnce = false;
  let publishes = 0;
  let files: readonly FileStatus[] = [];
  let missingOptional: readonly string[] = [];
  let degraded: readonly string[] = [];
  let warnedVariables: readonly string[] = [];
  let configProblems: readonly Problem[] = [];
  let lastErrors: readonly Problem[] = [];
  let lastSuccess: number | undefined;
  let lastChange: number | undefined;
  let lastFailure: number | undefined;

  async function renderFiles(outcomes: FetchResults): Promise<RenderedTarget> {
    const { served, missing, unserved: degradedObjects } = selectValues(plan, outcomes);
    return { ...(await render(plan, served)), missing, degradedObjects };
  }

  function publish(rendered: RenderedTarget): Published {
    const { snapshot, facts, variableWarnings, missing, degradedObjects } = rendered;
    const first = publishes === 0;
    const replaces = !first || target.holds([]);
    const toNotify = (of: Change): Changed | undefined =>
      hasNotifiers ? changeToNotify(of, snapshot, replaces, first && notifyOnStart) : undefined;
    const change = target.publish(snapshot, toNotify);
    publishes++;
    verifiedOnce = true;
    if (!needsSecrets()) ready = true;
    lastSuccess = clock.now();
    if (change.kind === 'changed') lastChange = lastSuccess;
    files = filesStatus(facts, files, first, momentText(lastSuccess));
    missingOptional = logTransitions(missingOptional, missing, {
      begins: (object) => log.problem('object.missing', object.problem, { config: plan.file }),
      ends: (name) => log.write('object.found', `${name} exists again`, { config: plan.file, object: name }),
    });
    warnedVariables = logTransitions(warnedVariables, variableWarnings, {
      begins: ({ problem }) => log.problem('config.warning', problem, { config: plan.file }),
      ends: () => {},
    });
    degraded = logTransitions(degraded, degradedObjects, {
      begins: (object) => log.problem('region.failing', object.problem, { config: plan.file }),
      ends: (name) =>
        log.write('region.recovered', `${name} is served by both regions again`, {
          config: plan.file,
          object: name,
        }),
    });
    return { change, first, notify: toNotify(change) };
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
    recordSecrets() {
      if (needsSecrets()) target.recordAppliedSecrets(secretsDescription(plan));
      ready = true;
    },
    recordFailure(problems) {
      lastFailure = clock.now();
      lastErrors = problems;
    },
    pendingNotification: () => target.pendingNotification(),
    clearPendingNotification: () => target.clearPendingNotification(),
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
      ...(plan.failoverRegion === undefined ? {} : { failoverRegion: plan.failoverRegion }),
      ready,
      ...moment('lastSuccess', lastSuccess),
      ...moment('lastChange', lastChange),
      ...moment('lastFailure', lastFailure),
      lastErrors: distinct(lastErrors).map(problemStatus),
      configProblems: configProblems.map(problemStatus),
      files,
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

/** Which value serves each object. Throws the problems of all that have none. */
function selectValues(plan: Plan, outcomes: FetchResults) {
  const served = new Map<PlannedObject, SelectedValue>();
  const missing: ObjectProblem[] = [];
  const degradedObjects: ObjectProblem[] = [];
  const failures: Problem[] = [];
  for (const object of plan.objects) {
    const choice = selectRegion(object, outcomes);
    switch (choice.kind) {
      case 'value':
        served.set(object, {
          value: choice.value.value,
          version: choice.value.version,
          region: choice.region,
        });
        if (choice.degraded !== undefined)
          degradedObjects.push({ name: object.name, problem: choice.degraded });
        break;
      case 'absent':
        missing.push({ name: object.name, problem: choice.problem });
        break;
      case 'failed':
        failures.push(...choice.problems);
        break;
      default:
        choice satisfies never;
    }
  }
  throwProblems(distinct(failures));
  return { served, missing, unserved: degradedObjects };
}

/** Says what is new in a list and what is gone from it; returns the names that are in it now. */
function logTransitions(
  before: readonly string[],
  now: readonly ObjectProblem[],
  say: { readonly begins: (note: ObjectProblem) => void; readonly ends: (name: string) => void },
): readonly string[] {
  const names = now.map(({ name }) => name);
  for (const note of now) if (!before.includes(note.name)) say.begins(note);
  for (const name of before) if (!names.includes(name)) say.ends(name);
  return names;
}

/** Each file as it is now; `changedAt` is when this process saw its version change. */
function filesStatus(
  facts: Rendered['facts'],
  before: readonly FileStatus[],
  first: boolean,
  now: string,
): readonly FileStatus[] {
  const known = new Map(before.map((file) => [file.path, file]));
  return facts.map(({ path, object, service, region, version }) => {
    const old = known.get(path);
    const changedAt = old?.version === version ? old.changedAt : first ? undefined : now;
    return { path, object, service, region, version, ...(changedAt === undefined ? {} : { changedAt }) };
  });
}

function moment<K extends string>(name: K, at: number | undefined): { readonly [N in K]?: string } {
  return (at === undefined ? {} : { [name]: momentText(at) }) as { readonly [N in K]?: string };
}
