/**
 * The report of `doctor`, as data: for each config the checks in the order of the stages, and every object in every region.
 *
 * A check whose prerequisite failed is skipped, not failed: the exit code is that of the earliest stage that failed. A report
 * contains no secret value.
 */

import { type IamPolicy, missingPolicy } from '../aws/iam-policy.ts';
import type { PlannedObject } from '../config/plan.ts';
import type { SecretRef } from '../config/secret-ref.ts';
import { exitCodes, type Problem, problemsOrThrow } from '../core/problem.ts';

/** The result of a check; `skipped`: a check that it depends on failed. */
export type CheckStatus = 'ok' | 'warning' | 'failed' | 'skipped';

/** One stage of a config. */
export interface Check {
  readonly subject:
    | 'config'
    | 'region'
    | 'endpoints'
    | 'auth'
    | 'token'
    | 'identity'
    | 'directory'
    | 'memory'
    | 'program'
    | 'cluster'
    | 'secrets';
  readonly status: CheckStatus;
  /** The result as a phrase; the problems are listed separately. */
  readonly text: string;
  readonly problems: readonly Problem[];
}

/** One value in one region. */
export interface ReadCheck {
  readonly read: SecretRef;
  readonly status: CheckStatus;
  /** The version of the value. */
  readonly version: string | undefined;
  readonly problem: Problem | undefined;
}

/** One object, in every region that it is fetched from. */
export interface ObjectCheck {
  readonly object: PlannedObject;
  readonly status: CheckStatus;
  /** The primary region first. */
  readonly reads: readonly ReadCheck[];
  /** Why the files of the value cannot be rendered. */
  readonly contents: readonly Problem[];
}

/** Everything about one config. */
export interface ConfigReport {
  readonly file: string;
  readonly directory: string;
  readonly checks: readonly Check[];
  readonly objects: readonly ObjectCheck[];
}

/** Every config of the command line, in its order. */
export interface DoctorReport {
  readonly configs: readonly ConfigReport[];
}

interface Found<Value> {
  readonly value: Value;
  readonly text: string;
  readonly warnings?: readonly Problem[];
}

/** Runs a check and adds its result, or the Problems that it throws. Returns the value, undefined if it failed. */
export async function runCheck<Value>(
  checks: Check[],
  subject: Check['subject'],
  check: () => Promise<Found<Value>>,
): Promise<Value | undefined> {
  try {
    const { value, text, warnings = [] } = await check();
    checks.push({ subject, status: warnings.length === 0 ? 'ok' : 'warning', text, problems: warnings });
    return value;
  } catch (error) {
    checks.push({ subject, status: 'failed', text: '', problems: problemsOrThrow(error) });
    return undefined;
  }
}

/** The problems of all failed checks, in the order of the report, without warnings. */
export function failures(report: DoctorReport): readonly Problem[] {
  return report.configs.flatMap(({ checks, objects }) => [
    ...checks.filter(({ status }) => status === 'failed').flatMap(({ problems }) => problems),
    ...objects
      .filter(({ status }) => status === 'failed')
      .flatMap(({ reads, contents }) => [
        ...reads.flatMap(({ status, problem }) => (status === 'failed' && problem ? [problem] : [])),
        ...contents,
      ]),
  ]);
}

/** The exit code: that of the earliest stage that failed. */
export function doctorExitCode(report: DoctorReport): number {
  const codes = failures(report).map((problem) => problem.exitCode);
  return codes.length === 0 ? exitCodes.done : Math.min(...codes);
}

/** The permissions that the denied refs need; undefined if none was denied. */
export function missingPermissions(report: DoctorReport): IamPolicy | undefined {
  const denied = report.configs.flatMap(({ objects }) =>
    objects.flatMap(({ reads }) =>
      reads.flatMap(({ read, problem }) => (problem?.access ? [{ ref: read, access: problem.access }] : [])),
    ),
  );
  return denied.length === 0 ? undefined : missingPolicy(denied);
}
