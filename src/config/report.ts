/**
 * The report of `check`: the plan, or all problems.
 *
 * The JSON is an interface: keys are added, never renamed or removed. The text is for people: tables of files, API reads and
 * variables, or each problem with its place and its remedy. It contains nothing from AWS, so all of it may be printed.
 */

import { modeText } from '../cli/values.ts';
import type { Problem } from '../core/problem.ts';
import { escapeControl, plural, sentence } from '../core/text.ts';
import { table } from '../core/text-layout.ts';
import type { Output, Plan } from './plan.ts';
import type { SecretRef } from './secret-ref.ts';

/** All configs of a command line; `configs` are those without problems. */
export interface Checked {
  readonly configs: readonly { readonly plan: Plan; readonly directory: string }[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** What `--output json` prints. */
export type CheckReport =
  | {
      readonly ok: true;
      readonly files: readonly ReportedFile[];
      readonly reads: readonly ReportedRead[];
      /** Missing in a config without `env`. */
      readonly variables?: readonly ReportedVariable[];
      readonly warnings: readonly ReportedProblem[];
    }
  | { readonly ok: false; readonly problems: readonly ReportedProblem[] };

/** One file that would be published. */
interface ReportedFile {
  /** The directory that `path` is below; only if several configs are checked. */
  readonly directory?: string;
  /** `<directory>/*` for the files of an expanded object. */
  readonly path: string;
  /** Four octal digits. */
  readonly mode: string;
  readonly object: string;
  readonly service: string;
  /** `whole`, a jmesPath expression, `expand`, or `env` for the file of variables. */
  readonly source: string;
}

/** One environment variable that a config sets. */
interface ReportedVariable {
  /** `PREFIX_*` for the variables of an expanded object. */
  readonly name: string;
  readonly object: string;
  /** The file that contains it; missing without envFile. */
  readonly file?: string;
}

/** One value that would be fetched from AWS. */
interface ReportedRead {
  readonly service: string;
  readonly region: string;
  readonly id: string;
  readonly version?: string;
  readonly stage?: string;
}

/** One problem or warning. */
interface ReportedProblem {
  readonly code: string;
  readonly subject: string;
  /** The config it is about; only if several are checked. */
  readonly file?: string;
  readonly line?: number;
  readonly message: string;
  readonly remedy: string;
}

/** The report as the value that `--output json` prints. */
export function checkReport(checked: Checked): CheckReport {
  const several = checked.configs.length > 1 || fileCount(checked) > 1;
  const reported = (problem: Problem) => reportedProblem(problem, several);
  if (checked.problems.length > 0) return { ok: false, problems: checked.problems.map(reported) };
  return {
    ok: true,
    files: checked.configs.flatMap(({ plan, directory }) =>
      reportedFiles(plan, several ? directory : undefined),
    ),
    reads: reportedReads(checked.configs.map(({ plan }) => plan)),
    ...variablesField(checked.configs.flatMap(({ plan }) => reportedVariables(plan))),
    warnings: checked.warnings.map(reported),
  };
}

/** The report as text, its tables within `columns` (default: unlimited); ends with a line break. */
export function checkText(checked: Checked, columns?: number): string {
  const { configs, problems } = checked;
  const warnings = checked.warnings.map((warning) => `warning: ${problemBlock(warning)}`);
  if (problems.length === 0) {
    const plans = configs.map(({ plan, directory }) => planBlock(plan, directory, columns));
    return `${[...plans, ...warnings].join('\n\n')}\n`;
  }
  const counts = [plural(problems.length, 'problem')];
  if (warnings.length > 0) counts.push(plural(warnings.length, 'warning'));
  // A warning may be the cause of a problem: a misspelt key is also a missing one.
  return `${[...problems.map(problemBlock), ...warnings, `${counts.join(', ')}.`].join('\n\n')}\n`;
}

function fileCount({ configs, problems, warnings }: Checked): number {
  const files = [...configs.map(({ plan }) => plan), ...problems, ...warnings].map(({ file }) => file);
  return new Set(files.filter((file) => file !== undefined)).size;
}

function reportedFiles(plan: Plan, directory: string | undefined): readonly ReportedFile[] {
  const files = plan.objects.flatMap((object) =>
    object.outputs.map((output) => ({
      ...(directory === undefined ? {} : { directory }),
      path: pathText(output),
      mode: modeText(output.mode),
      object: object.name,
      service: object.service,
      source: output.kind === 'jmesPath' ? output.expression : output.kind,
    })),
  );
  if (plan.envFile === undefined) return files;
  const { path, mode } = plan.envFile;
  const directoryField = directory === undefined ? {} : { directory };
  const source = { object: '', service: '', source: 'env' };
  return [...files, { ...directoryField, path, mode: modeText(mode), ...source }];
}

function reportedVariables({ objects, envFile }: Plan): readonly ReportedVariable[] {
  return objects.flatMap(({ name: object, outputs }) =>
    outputs.flatMap(({ env }) => {
      if (env === undefined) return [];
      const name = typeof env === 'string' ? env : `${env.prefix}*`;
      return [{ name, object, ...(envFile === undefined ? {} : { file: envFile.path }) }];
    }),
  );
}

function variablesField(variables: readonly ReportedVariable[]) {
  return variables.length === 0 ? {} : { variables };
}

function pathText(output: Output): string {
  if (output.kind !== 'expand') return output.path;
  return output.directory === '' ? '*' : `${output.directory}/*`;
}

/** In the order of the objects: primary, then failover. Equal reads are one. */
function reportedReads(plans: readonly Plan[]): readonly ReportedRead[] {
  const reads = plans
    .flatMap((plan) => plan.objects)
    .flatMap(({ primary, failover }) => (failover === undefined ? [primary] : [primary, failover]));
  const distinct = new Map(reads.map((read) => [read.key, read]));
  return [...distinct.values()].map(withoutKey);
}

function withoutKey({ service, region, id, version, stage }: SecretRef): ReportedRead {
  return {
    service,
    region,
    id,
    ...(version === undefined ? {} : { version }),
    ...(stage === undefined ? {} : { stage }),
  };
}

function reportedProblem(
  { code, subject, file, line, message, remedy }: Problem,
  several: boolean,
): ReportedProblem {
  return {
    code,
    subject,
    ...(several && file !== undefined ? { file } : {}),
    ...(line === undefined ? {} : { line }),
    message,
    remedy,
  };
}

/** Three lines: the place, what was expected and found, what to do. */
function problemBlock({ code, subject, file, line, message, remedy }: Problem): string {
  const place = file === undefined ? '' : ` (${file}${line === undefined ? '' : `:${line}`})`;
  return [`${subject}${place}`, `  ${sentence(message)}`, `  ${remedy} [${code}]`]
    .map((text) => escapeControl(text, MAX_LINE))
    .join('\n');
}

/** Characters. Messages quote at most 200 characters of a value, a few times. */
const MAX_LINE = 1500;

function planBlock(plan: Plan, directory: string, columns: number | undefined): string {
  const files = reportedFiles(plan, undefined);
  const reads = reportedReads([plan]);
  const title = `${plan.file}${plan.name === undefined ? '' : ` (${plan.name})`} publishes to ${directory}`;
  const variables = reportedVariables(plan);
  return [
    escapeControl(title),
    '',
    ...table(
      ['FILE', 'MODE', 'OBJECT', 'SERVICE', 'SOURCE'],
      files.map(({ path, mode, object, service, source }) => [
        path,
        mode,
        object,
        service,
        source === 'whole' ? 'full value' : source,
      ]),
      columns,
    ),
    '',
    ...table(
      ['API READS', 'REGION', 'NAME', 'VERSION', 'STAGE OR LABEL'],
      reads.map(({ service, region, id, version, stage }) => [
        service,
        region,
        id,
        version ?? '',
        stage ?? '',
      ]),
      columns,
    ),
    ...(variables.length === 0
      ? []
      : [
          '',
          ...table(
            ['VARIABLE', 'OBJECT', 'FILE'],
            variables.map(({ name, object, file }) => [name, object, file ?? '']),
            columns,
          ),
        ]),
  ].join('\n');
}
