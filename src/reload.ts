/**
 * The configs, read again.
 *
 * A whole one that says something else comes into force; a broken one changes nothing, is told once, and is shown until it
 * is whole again.
 */

import { carelessEdit } from './core/careless-edit.ts';
import type { Plan } from './core/plan.ts';
import { type Problem, problemLine, problemsOf } from './core/problem.ts';
import type { Log } from './ports.ts';
import type { Publication } from './publication.ts';

/** What reading a config again came to. */
export type Reloaded = 'changed' | 'unchanged' | 'broken';

/** Which configs, and how they are read. */
export interface ReloadOptions {
  readonly publications: readonly Publication[];
  /** A config as it is on disk now. Throws its problems, also those of an identity that cannot be had. */
  readonly readPlan: (
    file: string,
  ) => Promise<{ readonly plan: Plan; readonly warnings: readonly Problem[] }>;
  readonly log: Log;
  readonly count: (result: Reloaded) => void;
}

/** Reads every config again; whether another plan is in force now. Throws only what is no Problem. */
export async function reloadConfigs(options: ReloadOptions): Promise<boolean> {
  const results: Reloaded[] = [];
  for (const publication of options.publications) {
    const result = await reloadConfig(publication, options);
    options.count(result);
    results.push(result);
  }
  return results.includes('changed');
}

async function reloadConfig(publication: Publication, { readPlan, log }: ReloadOptions): Promise<Reloaded> {
  const before = publication.plan();
  const broken = publication.configProblems();
  const config = before.file;
  try {
    const { plan, warnings } = await readPlan(config);
    const careless = carelessEdit(before, plan);
    if (careless !== undefined) throw careless;
    publication.brokenConfig([]);
    if (JSON.stringify(plan) === JSON.stringify(before)) {
      if (broken.length > 0) log.write('info', 'config.whole', `${config} is whole again`, { config });
      return 'unchanged';
    }
    publication.replan(plan);
    log.write('info', 'config.reloaded', `${config} was edited and is in force`, {
      config,
      objects: plan.objects.length,
    });
    for (const warning of warnings) log.problem('warn', 'config.warning', warning);
    return 'changed';
  } catch (error) {
    const problems = problemsOf(error);
    if (problems === undefined) throw error;
    publication.brokenConfig(problems);
    const known = broken.map(problemLine);
    for (const problem of problems) {
      if (!known.includes(problemLine(problem))) log.problem('error', 'config.broken', problem, { config });
    }
    return 'broken';
  }
}
