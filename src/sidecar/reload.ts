/**
 * The configs, read again.
 *
 * A whole one that says something else comes into force; a broken one changes nothing, is told once, and is shown until it
 * is whole again.
 */

import { carelessEdit } from '../config/careless-edit.ts';
import type { Plan } from '../config/plan.ts';
import type { Log } from '../core/log.ts';
import { type Problem, problemLine, problemsOrThrow } from '../core/problem.ts';
import type { SyncTarget } from './target.ts';

/** What reading a config again came to. */
type ReloadResult = 'changed' | 'unchanged' | 'invalid';

/** Which configs, and how they are read. */
export interface ReloadOptions {
  readonly targets: readonly SyncTarget[];
  /** A config as it is on disk now. Throws its problems, also those of an identity that cannot be had. */
  readonly readPlan: (
    file: string,
  ) => Promise<{ readonly plan: Plan; readonly warnings: readonly Problem[] }>;
  readonly log: Log;
  readonly count: (result: ReloadResult) => void;
}

/** Reads every config again; whether another plan is in force now. Throws only what is no Problem. */
export async function reloadConfigs(options: ReloadOptions): Promise<boolean> {
  const results: ReloadResult[] = [];
  for (const target of options.targets) {
    const result = await reloadConfig(target, options);
    options.count(result);
    results.push(result);
  }
  return results.includes('changed');
}

async function reloadConfig(target: SyncTarget, { readPlan, log }: ReloadOptions): Promise<ReloadResult> {
  const before = target.plan();
  const knownProblems = target.configProblems();
  const config = before.file;
  try {
    const { plan, warnings } = await readPlan(config);
    const careless = carelessEdit(before, plan);
    if (careless !== undefined) throw careless;
    target.setConfigProblems([]);
    if (JSON.stringify(plan) === JSON.stringify(before)) {
      if (knownProblems.length > 0) log.write('config.recovered', `${config} is whole again`, { config });
      return 'unchanged';
    }
    target.setPlan(plan);
    log.write('config.reloaded', `${config} was edited and is in force`, {
      config,
      objects: plan.objects.length,
    });
    for (const warning of warnings) log.problem('config.warning', warning);
    return 'changed';
  } catch (error) {
    const problems = problemsOrThrow(error);
    target.setConfigProblems(problems);
    const known = knownProblems.map(problemLine);
    for (const problem of problems) {
      if (!known.includes(problemLine(problem))) log.problem('config.invalid', problem, { config });
    }
    return 'invalid';
  }
}
