/**
 * `podsecrets check`: every problem of the configs, or their plan. Offline, without credentials.
 *
 * FILE arguments are checked on their own: every SecretProviderClass for AWS in files, directories, globs and standard input.
 * Without any, the configs of `--config` are checked together with the directories that they publish to.
 */

import { options } from '../cli/options.ts';
import { checkReport, checkText } from '../config/report.ts';
import { exitCodes } from '../core/problem.ts';
import { escapedJson } from '../core/text.ts';
import { readClassFiles } from './class-files.ts';
import type { Context } from './context.ts';
import { readPlans } from './plans.ts';
import { writeReport } from './terminal.ts';

/**
 * Prints the report. Returns the exit code of stage `config` if there is a problem. Throws the Problem of files without any
 * class.
 */
export async function check(context: Context): Promise<number> {
  const { settings, stdout, words: files } = context;
  // EKS sets the region in the pod: without one here the config may still be complete.
  const planned =
    files.length > 0 ? await readClassFiles(context, files) : await readPlans(context, 'warning');
  const warnings = [...context.warnings, ...planned.warnings];
  const configs = planned.configs.map(({ plan, directory = options.dir.default }) => ({ plan, directory }));
  const checked = settings.strict
    ? { configs, problems: [...planned.problems, ...warnings], warnings: [] }
    : { configs, problems: planned.problems, warnings };
  const isOk = checked.problems.length === 0;
  if (settings.output === 'json') {
    stdout.write(`${escapedJson(checkReport(checked))}\n`);
  } else {
    await writeReport(context, `${checkText(checked, stdout.columns)}${isOk ? '\nok\n' : ''}`);
  }
  return isOk ? exitCodes.done : exitCodes.config;
}
