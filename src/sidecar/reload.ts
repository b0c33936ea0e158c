/**
 * Reads the configs again.
 *
 * A valid one with another plan replaces the plan in use; an invalid one changes nothing, is logged once, and is shown on the
 * status page until it is valid again.
 */

import { carelessEdit } from '../config/careless-edit.ts';
import type { Plan } from '../config/plan.ts';
import type { Log } from '../core/log.ts';
import { type Problem, problemLine, problemsOrThrow } from '../core/problem.ts';
import type { SyncTarget } from './target.ts';

/** The result of reading a config again. */
export type ReloadResult = 'changed' | 'unchanged' | 'invalid';

/** The configs, and how they are read. */
export interface ReloadOptions {
  readonly targets: readonly SyncTarget[];
  /** The config that is on disk now. Throws its problems, also that of an identity that is not available. */
  readonly readPlan: (
    file: string,
  ) => Promise<{ readonly plan: Plan; readonly warnings: readonly Problem[] }>;
  readonly log: Log;
  readonly count: (result: ReloadResult) => void;
}

/** Reads every config again; whether a plan changed. Throws bugs only. */
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
      if (knownProblems.length > 0)
        log.write('config.recovered', `${config}: configuration valid again`, { config });
      return 'unchanged';
    }
    target.setPlan(plan);
    log.write('config.reloaded', `${config}: configuration reloaded`, {
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
