/**
 * The configs of a command line, read and planned, with every problem of all of them.
 */

import { readConfig } from '../config/file.ts';
import { type PlanOptions, parsePlan } from '../config/parse.ts';
import type { Plan } from '../config/plan.ts';
import { planVariables } from '../config/set-plan.ts';
import { type Problem, problemsOrThrow, throwProblems } from '../core/problem.ts';
import type { Context } from './context.ts';

/** A config without problems, and the directory it publishes to; undefined: only its variables are used. */
interface PlannedConfig {
  readonly plan: Plan;
  readonly directory: string | undefined;
}

/** The result for all configs of a command line; `configs` holds those without problems. */
export interface PlannedConfigs {
  readonly configs: readonly PlannedConfig[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Every config of the settings, and the plan of `--set`. Throws only errors that are not Problems. */
export async function readPlans(
  context: Context,
  missingRegion: PlanOptions['missingRegion'] = 'error',
): Promise<PlannedConfigs> {
  const configs: PlannedConfig[] = [];
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const { settings, origins, env } = context;
  const onlySet = settings.set.length > 0 && origins.config === 'default';
  for (const { file, dir } of onlySet ? [] : settings.config) {
    try {
      const directory = dir ?? settings.dir;
      const options = { missingRegion, variablesOnly: directory === undefined };
      const parsed = await planOf(context, file, options);
      problems.push(...parsed.problems);
      warnings.push(...parsed.warnings);
      if (parsed.plan !== undefined) configs.push({ plan: parsed.plan, directory });
    } catch (error) {
      const found = problemsOrThrow(error);
      problems.push(...found);
    }
  }
  if (settings.set.length > 0) {
    const set = planVariables(settings.set, env.AWS_REGION);
    problems.push(...set.problems);
    configs.push({ plan: set.plan, directory: undefined });
  }
  return { configs, problems, warnings };
}

/** One config's plan. Throws its problems. */
export async function readPlan(
  context: Context,
  file: string,
): Promise<{ readonly plan: Plan; readonly warnings: readonly Problem[] }> {
  const { plan, problems, warnings } = await planOf(context, file);
  throwProblems(problems);
  // There is a plan whenever there is no problem.
  return { plan: plan as Plan, warnings };
}

function planOf(
  { settings, env }: Context,
  file: string,
  options: Pick<PlanOptions, 'missingRegion' | 'variablesOnly'> = {},
) {
  return parsePlan(readConfig(file, env), {
    file,
    defaultMode: settings.mode,
    environmentRegion: env.AWS_REGION,
    syncSecrets: settings.syncSecrets,
    ...options,
  });
}
