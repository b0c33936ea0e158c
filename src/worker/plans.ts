/**
 * The plans of a sync: those of the configs on disk, or of the configs in use if an edited one is invalid.
 */

import { accidentalRemoval } from '../config/accidental-removal.ts';
import type { ParsedPlan } from '../config/parse.ts';
import type { Plan } from '../config/plan.ts';
import type { Log } from '../core/log.ts';
import { type Problem, problemsOrThrow } from '../core/problem.ts';
import { createProblemReader, problemMessage } from '../core/problem-fields.ts';
import type { Report } from './report.ts';
import type { ConfigRequest } from './request.ts';

/** Reads plans. */
export interface PlanReader {
  /** `region`: of the plan in use, for a config without one; undefined: it is searched for. */
  readonly parse: (text: string, config: ConfigRequest, region: string | undefined) => Promise<ParsedPlan>;
  /** Throws a Problem if the identity that the plan needs is not available. */
  readonly checkIdentity: (plan: Plan) => void;
  readonly log: Log;
}

/** A plan to sync. */
export interface UsablePlan {
  readonly plan: Plan;
  /** It replaced the plan in use, after an edit. */
  readonly isChanged: boolean;
}

/** The plan of each config, in order; undefined, and reported, if a config is invalid and has no plan in use. */
export async function usablePlans(
  configs: readonly ConfigRequest[],
  options: PlanReader,
  report: Report,
): Promise<readonly UsablePlan[] | undefined> {
  const plans: UsablePlan[] = [];
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  for (const [index, config] of configs.entries()) {
    report({ kind: 'stage', stage: 'config', config: index });
    const read = await parseContent(config, options);
    if (config.inUse === undefined) {
      problems.push(...read.problems);
      warnings.push(...read.warnings);
      if (read.plan !== undefined) plans.push({ plan: read.plan, isChanged: false });
    } else {
      plans.push(await planAfterEdit(index, config, config.inUse, read, options, report));
    }
  }
  for (const warning of warnings) options.log.problem('config.warning', warning);
  // Only then, because an invalid config may be the cause of a missing identity.
  if (problems.length === 0)
    problems.push(
      ...identityProblems(
        plans.map(({ plan }) => plan),
        options,
      ),
    );
  if (problems.length === 0) return plans;
  report({ kind: 'unusable', problems: problems.map(problemMessage) });
  return undefined;
}

async function parseContent(config: ConfigRequest, { parse }: PlanReader): Promise<ParsedPlan> {
  const { content, inUse, region } = config;
  if (content.kind === 'text')
    return await parse(content.text, config, content.text === inUse ? region : undefined);
  return { plan: undefined, problems: content.problems.map(createProblemReader()), warnings: [] };
}

/** The new plan if it can be used, else the plan in use. */
async function planAfterEdit(
  index: number,
  config: ConfigRequest,
  inUse: string,
  { plan: next, problems, warnings }: ParsedPlan,
  options: PlanReader,
  report: Report,
): Promise<UsablePlan> {
  const { content, region } = config;
  if (content.kind === 'text' && content.text === inUse && next !== undefined)
    return { plan: next, isChanged: false };
  const { plan: before } = await options.parse(inUse, config, region);
  if (before === undefined) throw new Error('the config in use is no longer valid');
  const found = next === undefined ? problems : editProblems(before, next, options);
  const isUsed = next !== undefined && found.length === 0;
  const isChanged = isUsed && JSON.stringify(next) !== JSON.stringify(before);
  report({
    kind: 'edited',
    config: index,
    result: isChanged ? 'changed' : isUsed ? 'unchanged' : 'invalid',
    objects: (isUsed ? next : before).objects.length,
    problems: found.map(problemMessage),
    warnings: isChanged ? warnings.map(problemMessage) : [],
  });
  return { plan: isUsed ? next : before, isChanged };
}

/** Why the new plan cannot replace the one in use. */
function editProblems(before: Plan, next: Plan, options: PlanReader): readonly Problem[] {
  const removal = accidentalRemoval(before, next);
  return removal === undefined ? identityProblems([next], options) : [removal];
}

function identityProblems(plans: readonly Plan[], { checkIdentity }: PlanReader): readonly Problem[] {
  try {
    for (const plan of plans) checkIdentity(plan);
    return [];
  } catch (error) {
    return problemsOrThrow(error);
  }
}
