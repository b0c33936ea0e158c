/**
 * `podsecrets doctor`: check, then tests against AWS. Shows the identity, region and endpoint, whether each object can be
 * read, and which permission is missing where. Prints no values.
 *
 * With `--policy` it prints the least-privilege IAM policy for the configs instead, offline: the policy alone on standard
 * output, for a file or a pipe, and notes on standard error.
 */

import { policyFor, policyNotes, trustNotes } from '../aws/iam-policy.ts';
import { findMemoryCgroup } from '../core/memory-cgroup.ts';
import { exitCodes, throwProblems } from '../core/problem.ts';
import { PROGRAM } from '../core/program-path.ts';
import { escapedJson } from '../core/text.ts';
import { type DoctorReport, doctorExitCode } from '../doctor/report.ts';
import { runChecks } from '../doctor/run.ts';
import { doctorJson, doctorText } from '../doctor/text.ts';
import { fileKind } from '../exec/become.ts';
import type { Context } from './context.ts';
import { readPlan, readPlans } from './plans.ts';
import { wrapped, writeReport, writeWarnings } from './terminal.ts';

/** Prints the report, or the policy. The exit code is that of the earliest stage that failed; only `--policy` throws Problems. */
export async function doctor(context: Context): Promise<number> {
  writeWarnings(context, context.warnings);
  return context.settings.policy ? await printPolicy(context) : await printReport(context);
}

async function printReport(context: Context): Promise<number> {
  const { settings, stdout } = context;
  const doctorContext = {
    ...context,
    user: context.process.user,
    memoryLimit: () => findMemoryCgroup()?.limit,
    programKind: () => fileKind(PROGRAM),
    readPlan: (file: string) => readPlan(context, file),
  };
  // One after the other: the report is in their order.
  const configs: DoctorReport['configs'][number][] = [];
  for (const target of settings.config) configs.push(await runChecks(doctorContext, target));
  const report: DoctorReport = { configs };
  if (settings.output === 'json') stdout.write(doctorJson(report));
  else writeReport(context, doctorText(report, stdout.columns));
  return doctorExitCode(report);
}

async function printPolicy(context: Context): Promise<number> {
  const { settings, stdout, stderr } = context;
  const { configs, problems, warnings } = await readPlans(context);
  writeWarnings(context, warnings);
  throwProblems(problems);
  const plans = configs.map(({ plan }) => plan);
  const policy = policyFor(plans, settings.fetch);
  stdout.write(`${escapedJson(policy, 2)}\n`);
  for (const note of [...policyNotes(policy, settings.fetch), ...trustNotes(plans)])
    stderr.write(`${wrapped(stderr, note)}\n`);
  return exitCodes.done;
}
