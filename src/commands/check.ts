/**
 * `podsecrets check`: everything that is wrong with the configs, or their plan. Offline, without credentials.
 */

import { checkReport, checkText } from '../config/report.ts';
import { exitCodes } from '../core/problem.ts';
import type { Context } from './context.ts';
import { readPlans } from './plans.ts';

/** Prints the report; the exit code of config when anything is wrong, never a thrown Problem. */
export async function check(context: Context): Promise<number> {
  const { settings, stdout } = context;
  // EKS sets the region in the pod: without one here the config may still be complete.
  const planned = await readPlans(context, 'warning');
  const checked = { ...planned, warnings: [...context.warnings, ...planned.warnings] };
  stdout.write(settings.output === 'json' ? `${JSON.stringify(checkReport(checked))}\n` : checkText(checked));
  return planned.problems.length === 0 ? exitCodes.done : exitCodes.config;
}
