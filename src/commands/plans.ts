/**
 * The configs of a command line, read and planned, with every problem of all of them.
 */

import { classChoice } from '../cli/values.ts';
import { readConfig } from '../config/file.ts';
import type { RegionSearch } from '../config/parameters.ts';
import { type ParsedPlan, type PlanOptions, parsePlan } from '../config/parse.ts';
import type { Plan } from '../config/plan.ts';
import { planVariables } from '../config/set-plan.ts';
import { inKubernetes } from '../core/environment.ts';
import { type Problem, problemsOrThrow, throwProblems } from '../core/problem.ts';
import { sameDirectories } from '../publish/inspect.ts';
import type { Context } from './context.ts';

/** A config without problems, and the directory it publishes to; undefined: only its variables are used. */
interface PlannedConfig {
  readonly plan: Plan;
  readonly directory: string | undefined;
}

/** The result for all configs of a command line; `configs` has those without problems. */
export interface PlannedConfigs {
  readonly configs: readonly PlannedConfig[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Every config of the settings, and the plan of `--set`. Throws only errors that are not Problems. */
export async function readPlans(
  context: Pick<Context, 'settings' | 'origins' | 'env' | 'clock'>,
  options: Pick<PlanOptions, 'missingRegion' | 'forExec'> = {},
): Promise<PlannedConfigs> {
  const configs: PlannedConfig[] = [];
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const { settings, origins } = context;
  for (const { file, dir } of usedConfigs({ settings, origins })) {
    try {
      const directory = dir ?? settings.dir;
      const parsed = await planOf(context, file, { ...options, variablesOnly: directory === undefined });
      problems.push(...parsed.problems);
      warnings.push(...parsed.warnings);
      if (parsed.plan !== undefined) configs.push({ plan: parsed.plan, directory });
    } catch (error) {
      problems.push(...problemsOrThrow(error));
    }
  }
  problems.push(...sameDirectories(configs.flatMap(({ directory }) => directory ?? [])));
  if (settings.set.length > 0) {
    const set = await parseSet(context);
    problems.push(...set.problems);
    if (set.plan !== undefined) configs.push({ plan: set.plan, directory: undefined });
  }
  return { configs, problems, warnings };
}

async function knownOrFound(
  region: string | undefined,
  { env, clock }: Pick<Context, 'env' | 'clock'>,
): Promise<RegionSearch> {
  if (region !== undefined) return { region, from: 'the previous sync' };
  return await (await import('../aws/region.ts')).findRegion(env, clock);
}

/** The configs to read: with `--set`, the default one is not. */
export function usedConfigs({
  settings,
  origins,
}: Pick<Context, 'settings' | 'origins'>): Context['settings']['config'] {
  return settings.set.length > 0 && origins.config === 'default' ? [] : settings.config;
}

/** The plan of `--set`. `region`: that of the previous sync. */
export async function parseSet(
  context: Pick<Context, 'settings' | 'env' | 'clock'>,
  region?: string,
): Promise<ParsedPlan> {
  const { plan, problems } = planVariables(context.settings.set, await regionForSet(context, region));
  return { plan: problems.length === 0 ? plan : undefined, problems, warnings: [] };
}

/** Only a parameter given by its name needs a region. */
async function regionForSet(
  { settings, env, clock }: Pick<Context, 'settings' | 'env' | 'clock'>,
  known: string | undefined,
): Promise<RegionSearch> {
  if (env.AWS_REGION) return { region: env.AWS_REGION, from: 'AWS_REGION' };
  if (settings.set.every((variable) => variable.region !== undefined))
    return { region: undefined, searched: [] };
  return await knownOrFound(known, { env, clock });
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
  context: Pick<Context, 'settings' | 'env' | 'clock'>,
  file: string,
  options: Pick<PlanOptions, 'missingRegion' | 'variablesOnly' | 'forExec'> = {},
): Promise<ParsedPlan> {
  return parseConfig(context, readConfig(classChoice(file).path, context.env), file, options);
}

/**
 * The plan of a config's text; `file` as `--config` names it. `region`: for a config without one, outside Kubernetes; default: it
 * is searched for.
 */
export async function parseConfig(
  { settings, env, clock }: Pick<Context, 'settings' | 'env' | 'clock'>,
  text: string,
  file: string,
  {
    missingRegion = 'error',
    region,
    ...options
  }: Pick<PlanOptions, 'missingRegion' | 'variablesOnly' | 'forExec'> & {
    readonly region?: string | undefined;
  } = {},
): Promise<ParsedPlan> {
  const { className } = classChoice(file);
  return await parsePlan(text, {
    file,
    className,
    defaultMode: settings.mode,
    environmentRegion: env.AWS_REGION,
    ...options,
    missingRegion,
    ...(missingRegion === 'error' && !inKubernetes(env)
      ? { findRegion: () => knownOrFound(region, { env, clock }) }
      : {}),
    syncSecrets: settings.syncSecrets,
  });
}
