/**
 * The report of `doctor` as text and as JSON.
 *
 * The JSON is an interface: fields are added, never renamed. The text has one line for each check, with the problem
 * and its remedy below, and ends with the permissions to add and one summary line. A cause of many failures is printed
 * once, below the first; the others refer to it.
 */

import { fullParameterName } from '../aws/batches.ts';
import { causeKey, groupByCause, type Problem } from '../core/problem.ts';
import { escapeControl, escapedJson, plural } from '../core/text.ts';
import {
  type Check,
  type CheckStatus,
  type ConfigReport,
  type DoctorReport,
  doctorExitCode,
  failures,
  missingPermissions,
  type ObjectCheck,
  type ReadCheck,
} from './report.ts';

/** The report as text, at most `columns` wide if the names are short enough. */
export function doctorText(report: DoctorReport, columns = Number.POSITIVE_INFINITY): string {
  const found = groupByCause(failures(report));
  const missing = missingPermissions(report);
  return [
    ...report.configs.flatMap((config) => configLines(config, columns)),
    ...(missing === undefined ? [] : ["Add to the role's policy:", escapedJson(missing, 2), '']),
    found.length === 0
      ? 'All checks passed.'
      : `${plural(found.length, 'problem')}; exit code ${doctorExitCode(report)}.`,
    '',
  ].join('\n');
}

const words: Readonly<Record<CheckStatus, string>> = {
  ok: 'ok',
  warning: 'warn',
  failed: 'FAIL',
  skipped: 'skip',
};

function configLines({ file, directory, checks, objects }: ConfigReport, columns: number): readonly string[] {
  const names = objects.flatMap(({ reads }) => reads.map(({ read }) => nameOf(read).length));
  // On a terminal of 80 columns the region still fits, and the version is on a separate line.
  const width = Math.min(Math.max(...names, 0), 48, Math.max(16, columns - 42));
  const printed: PrintedCauses = new Map();
  return [
    `${escapeControl(file)} -> ${escapeControl(directory)}`,
    ...checks.flatMap((check) => checkLines(check, printed)),
    ...(objects.length > 0 && objects.every(({ status }) => status === 'skipped')
      ? [line('skipped', skippedText(objects.length))]
      : objects.flatMap((object) => objectLines(object, width, printed))),
    '',
  ];
}

/** Without credentials no object is read: one line for all of them. */
function skippedText(count: number): string {
  return `${'objects'.padEnd(10)} ${count} not read, because a check above failed`;
}

/** A stage that fails for the cause of an earlier one, such as the identity without a token, refers to it. */
function checkLines({ subject, status, text, problems }: Check, printed: PrintedCauses): readonly string[] {
  const [only, another] = problems;
  const first = only === undefined || another !== undefined ? undefined : printed.get(causeKey(only));
  if (text === '' && first !== undefined) return [line(status, `${subject.padEnd(10)} same as ${first}`)];
  for (const problem of problems) printed.set(causeKey(problem), subject);
  const head = text === '' ? [] : [line(status, `${subject.padEnd(10)} ${text}`)];
  return [
    ...(head.length === 0 && problems.length > 0 ? [line(status, subject)] : head),
    ...problems.flatMap((problem) => problemLines(problem)),
  ];
}

/** The printed causes, and the check or the object below which each is printed. */
type PrintedCauses = Map<string, string>;

function objectLines(
  { reads, contents, status }: ObjectCheck,
  width: number,
  printed: PrintedCauses,
): readonly string[] {
  return [
    ...reads.flatMap((check) => readLines(check, width, printed)),
    ...(contents.length === 0 ? [] : [line(status, 'its files cannot be rendered:')]),
    ...contents.flatMap((problem) => problemLines(problem)),
  ];
}

function readLines(
  { read, status, version, problem }: ReadCheck,
  width: number,
  printed: PrintedCauses,
): readonly string[] {
  const name = nameOf(read);
  const place = `${read.service.padEnd(14)} ${read.region}`;
  const what = version === undefined ? '' : `  version ${escapeControl(version)}`;
  const head = `${name.padEnd(width)}  ${place}${what}`;
  if (problem === undefined) return [line(status, head)];
  const key = causeKey(problem);
  const first = printed.get(key);
  if (first !== undefined) return [line(status, `${head}  same as ${first}`)];
  printed.set(key, name);
  return [line(status, head), ...problemLines(problem, name)];
}

function nameOf(read: ReadCheck['read']): string {
  return escapeControl(fullParameterName(read));
}

/** Escapes again, so that no caller can forget it. */
function line(status: CheckStatus, text: string): string {
  return `  ${words[status].padEnd(4)}  ${escapeControl(text, MAX_LENGTH)}`.trimEnd();
}

/** Message and remedy; `named` is the subject that the line above shows. */
function problemLines(problem: Problem, named = ''): readonly string[] {
  const place = problem.line === undefined ? '' : ` (line ${problem.line})`;
  const subject = escapeControl(problem.subject);
  const head = subject === named ? '' : `${subject}${place}: `;
  return [
    `        ${head}${escapeControl(problem.message, MAX_LENGTH)} [${problem.code}]`,
    `        fix: ${escapeControl(problem.remedy, MAX_LENGTH)}`,
  ];
}

/** Messages are not cut here: a policy to paste must be complete. */
const MAX_LENGTH = 2000;

/** The report as one line of JSON. */
export function doctorJson(report: DoctorReport): string {
  const exitCode = doctorExitCode(report);
  const missing = missingPermissions(report);
  return `${escapedJson({
    ok: exitCode === 0,
    exitCode,
    configs: report.configs.map(({ file, directory, checks, objects }) => ({
      file,
      directory,
      checks: checks.map(({ subject, status, text, problems }) => ({
        check: subject,
        result: status,
        ...(text === '' ? {} : { detail: text }),
        ...(problems.length === 0 ? {} : { problems: problems.map(problemJson) }),
      })),
      objects: objects.map(({ object, status, reads, contents }) => ({
        object: object.name,
        result: status,
        reads: reads.map(readJson),
        ...(contents.length === 0 ? {} : { problems: contents.map(problemJson) }),
      })),
    })),
    ...(missing === undefined ? {} : { missing }),
  })}\n`;
}

function readJson({ read, status, version, problem }: ReadCheck) {
  return {
    service: read.service,
    region: read.region,
    id: fullParameterName(read),
    result: status,
    ...(version === undefined ? {} : { version }),
    ...(problem === undefined ? {} : { problem: problemJson(problem) }),
  };
}

function problemJson({ code, subject, line: at, message, remedy, retry }: Problem) {
  return { code, subject, ...(at === undefined ? {} : { line: at }), message, remedy, retry };
}
