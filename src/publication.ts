/**
 * One config and the directory it publishes to.
 *
 * Nothing is published unless every object that is not optional was fetched and rendered; a failure leaves the files that
 * are there untouched. What is worth telling a person is told when it begins and when it ends, not at every refresh.
 */

import { choose } from './core/choose.ts';
import { distinct } from './core/last-words.ts';
import { expectedPaths, type Plan, type PlannedObject } from './core/plan.ts';
import { type Problem, throwProblems } from './core/problem.ts';
import type { ReadOutcomes } from './core/read.ts';
import { type Rendered, render, type Served } from './core/render.ts';
import type { Phase } from './core/schedule.ts';
import type { Change, Changed } from './core/snapshot.ts';
import { type ConfigStatus, type FileStatus, momentText, problemStatus } from './core/status/status.ts';
import { changeToTell } from './core/telling/telling.ts';
import type { Question } from './fetch.ts';
import type { Clock, Log, SecretSource, Target } from './ports.ts';

/** What came of a publish. */
export interface Published {
  readonly change: Change;
  /** The first publish of this process. */
  readonly first: boolean;
  /** What the application is to hear of it. */
  readonly telling: Changed | undefined;
}

/** What is to be published, and what is to be said of its objects. */
export interface Prepared extends Rendered {
  readonly missing: readonly ObjectNote[];
  readonly unserved: readonly ObjectNote[];
}

/** An object, and what stands against it. */
interface ObjectNote {
  readonly name: string;
  readonly problem: Problem;
}

/** A config, its directory, and what is known of both. */
export interface Publication {
  readonly directory: string;
  plan(): Plan;
  /** The directory holds a complete set: of this process, or of one before it. */
  isReady(): boolean;
  /** What the next pass is to ask. */
  question(phase: Phase): Question;
  /** The files that were fetched, and what stands against others. Throws the problems of all objects that have no value. */
  prepare(outcomes: ReadOutcomes): Promise<Prepared>;
  /** Publishes them. Throws every problem that stands against it. */
  publish(prepared: Prepared): Published;
  /** A pass failed for this one. */
  failed(problems: readonly Problem[]): void;
  /** What an earlier process published, and could not tell. Throws a Problem. */
  untold(): Changed | undefined;
  /** The application has heard of everything that was published. */
  told(): void;
  /** Takes a new plan into force; its files follow with the next publish. */
  replan(plan: Plan): void;
  /** A new config that is broken: the plan in force stays. An empty list: it is whole again. */
  brokenConfig(problems: readonly Problem[]): void;
  /** What is wrong with the config on disk. */
  configProblems(): readonly Problem[];
  status(): ConfigStatus;
}

/** What a publication is opened with. */
export interface PublicationOptions {
  readonly directory: string;
  readonly plan: Plan;
  readonly target: Target;
  /** The source with the identity that a plan asks for. */
  readonly sourceOf: (plan: Plan) => SecretSource;
  /** Whether there is an application to tell. */
  readonly tells: boolean;
  /** Tell also about the first publish of a process. */
  readonly notifyOnStart: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** A publication that has published nothing yet. */
export function openPublication(options: PublicationOptions): Publication {
  const { directory, target, sourceOf, tells, notifyOnStart, clock, log } = options;
  let { plan } = options;
  let ready = target.holds(expectedPaths(plan));
  /** Until a plan's first success both regions are asked. */
  let proven = false;
  let publishes = 0;
  let files: readonly FileStatus[] = [];
  let absent: readonly string[] = [];
  let passedOver: readonly string[] = [];
  let configProblems: readonly Problem[] = [];
  let lastErrors: readonly Problem[] = [];
  let lastSuccess: number | undefined;
  let lastChange: number | undefined;
  let lastFailure: number | undefined;

  async function prepare(outcomes: ReadOutcomes): Promise<Prepared> {
    const { served, missing, unserved } = serve(plan, outcomes);
    return { ...(await render(plan, served)), missing, unserved };
  }

  function publish({ snapshot, facts, missing, unserved }: Prepared): Published {
    const first = publishes === 0;
    const replaces = !first || target.holds([]);
    const news = (of: Change): Changed | undefined =>
      tells ? changeToTell(of, snapshot, replaces, first && notifyOnStart) : undefined;
    const change = target.publish(snapshot, news);
    publishes++;
    proven = true;
    ready = true;
    lastSuccess = clock.now();
    if (change.kind === 'changed') lastChange = lastSuccess;
    files = filesStatus(facts, files, first, momentText(lastSuccess));
    absent = sayChanges(absent, missing, {
      begins: (object) => log.problem('warn', 'object.absent', object.problem, { config: plan.file }),
      ends: (name) =>
        log.write('info', 'object.present', `${name} exists again`, { config: plan.file, object: name }),
    });
    passedOver = sayChanges(passedOver, unserved, {
      begins: (object) => log.problem('warn', 'region.failing', object.problem, { config: plan.file }),
      ends: (name) =>
        log.write('info', 'region.recovered', `${name} is served by both regions again`, {
          config: plan.file,
          object: name,
        }),
    });
    return { change, first, telling: news(change) };
  }

  return {
    directory,
    plan: () => plan,
    isReady: () => ready,
    question: (phase) => ({ plan, source: sourceOf(plan), bothRegions: phase === 'start' || !proven }),
    prepare,
    publish,
    failed(problems) {
      lastFailure = clock.now();
      lastErrors = problems;
    },
    untold: () => target.untold(),
    told: () => target.told(),
    replan(next) {
      plan = next;
      proven = false;
    },
    brokenConfig(problems) {
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
      absent,
    }),
  };
}

/** Which value serves each object. Throws the problems of all that have none. */
function serve(plan: Plan, outcomes: ReadOutcomes) {
  const served = new Map<PlannedObject, Served>();
  const missing: ObjectNote[] = [];
  const unserved: ObjectNote[] = [];
  const failures: Problem[] = [];
  for (const object of plan.objects) {
    const choice = choose(object, outcomes);
    switch (choice.kind) {
      case 'value':
        served.set(object, {
          value: choice.value.value,
          version: choice.value.version,
          region: choice.region,
        });
        if (choice.passedOver !== undefined) unserved.push({ name: object.name, problem: choice.passedOver });
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
  return { served, missing, unserved };
}

/** Says what is new in a list and what is gone from it; returns the names that are in it now. */
function sayChanges(
  before: readonly string[],
  now: readonly ObjectNote[],
  say: { readonly begins: (note: ObjectNote) => void; readonly ends: (name: string) => void },
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
