/**
 * The configs of a command line, read and planned, with every problem of all of them.
 */

import { readConfigFile } from '../config/file.ts';
import { type ParsedPlan, type PlanOptions, parsePlan } from '../config/parse.ts';
import type { Plan } from '../config/plan.ts';
import { inKubernetes } from '../core/environment.ts';
import { type Problem, problemsOrThrow, throwProblems } from '../core/problem.ts';
import type { Context } from './context.ts';

/** A config without problems, and the directory it publishes to. */
interface PlannedConfig {
  readonly plan: Plan;
  readonly directory: string;
}

/** The result for all configs of a command line; `configs` holds those without problems. */
export interface PlannedConfigs {
  readonly configs: readonly PlannedConfig[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Every config of the settings. Throws only errors that are not Problems. */
export async function readPlans(
  context: Context,
  missingRegion: PlanOptions['missingRegion'] = 'error',
): Promise<PlannedConfigs> {
  const configs: PlannedConfig[] = [];
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  for (const { file, dir } of context.settings.config) {
    try {
      const parsed = await planOf(context, file, missingRegion);
      problems.push(...parsed.problems);
      warnings.push(...parsed.warnings);
      if (parsed.plan !== undefined)
        configs.push({ plan: parsed.plan, directory: dir ?? context.settings.dir });
    } catch (error) {
      const found = problemsOrThrow(error);
      problems.push(...found);
    }
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
  context: Context,
  file: string,
  missingRegion: PlanOptions['missingRegion'] = 'error',
): Promise<ParsedPlan> {
  return parseConfig(context, readConfigFile(file), file, missingRegion);
}

/** The plan of a config's text. */
export async function parseConfig(
  { settings, env, clock }: Pick<Context, 'settings' | 'env' | 'clock'>,
  text: string,
  file: string,
  missingRegion: PlanOptions['missingRegion'] = 'error',
): Promise<ParsedPlan> {
  return await parsePlan(text, {
    file,
    defaultMode: settings.mode,
    environmentRegion: env.AWS_REGION,
    missingRegion,
    ...(missingRegion === 'error' && !inKubernetes(env)
      ? { findRegion: async () => (await import('../aws/region.ts')).findRegion(env, clock) }
      : {}),
    syncSecrets: settings.syncSecrets,
  });
}
