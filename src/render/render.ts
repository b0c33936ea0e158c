/**
 * Renders fetched values into the files to publish.
 *
 * A file contains the whole value, a field of it, or the value of one key, decoded first if the config has `decode`; one more file may
 * contain environment variables. Either every object renders, or all mistakes are thrown together, in fixed sentences: no parser's
 * message, no part of a value and no name of a key leaves this file, except in a Secret or as a valid name of a file or variable.
 */

import { PathTree } from '../config/path-conflicts.ts';
import type { Plan, PlannedObject } from '../config/plan.ts';
import type { FilePath } from '../core/file-path.ts';
import { Problem, throwProblems } from '../core/problem.ts';
import type { Secret } from '../core/secret.ts';
import type { Service } from '../core/service.ts';
import { quote } from '../core/text.ts';
import type { Snapshot, SnapshotFile } from '../publish/snapshot.ts';
import { type EnvVariable, envFileContent, envValueError, envValueWarning } from './env-file.ts';
import { type Evaluate, type OutputFile, type ReportError, renderObject } from './object-files.ts';

/** The value of an object, from the selected region. */
export interface SelectedValue {
  readonly value: Secret;
  readonly version: string;
  readonly region: string;
}

/** The files that an earlier sync created from an object, read from the current generation. */
export interface KeptValue {
  readonly files: readonly OutputFile[];
  readonly version: string;
  readonly region: string;
}

/** An object, and the files that were created from it. */
interface RenderedObject extends KeptValue {
  readonly object: PlannedObject;
}

/** The origin of a file or a variable. */
interface Origin {
  /** objectName, as written. */
  readonly object: string;
  readonly service: Service;
  readonly region: string;
  readonly version: string;
}

/** A file and its origin. */
interface FileFact extends Origin {
  readonly path: FilePath;
}

/** An environment variable and its origin. */
interface RenderedVariable extends EnvVariable, Origin {}

/** The files and variables, with the origin of each. */
export interface Rendered {
  readonly snapshot: Snapshot;
  /** One for each file of an object, in the order of the snapshot. */
  readonly facts: readonly FileFact[];
  readonly objects: readonly RenderedObject[];
  /** In the order of the config; those of an expanded object sorted by key. */
  readonly variables: readonly RenderedVariable[];
  /** Variables that the kubelet reads differently from the file. */
  readonly variableWarnings: readonly { readonly name: string; readonly problem: Problem }[];
}

/** Renders the plan. `values` may lack those of optional objects. Throws Problems of code `fetch.content`. */
export async function render(
  plan: Plan,
  values: ReadonlyMap<PlannedObject, SelectedValue | KeptValue>,
): Promise<Rendered> {
  const { variablesOnly = false } = plan;
  const evaluate = await evaluator(plan);
  const problems: Problem[] = [];
  const files: RenderedFile[] = [];
  const objects: RenderedObject[] = [];
  for (const object of plan.objects) {
    const selected = values.get(object);
    if (selected === undefined) {
      if (!object.optional)
        throw new Error(`no value for ${object.subject}: only optional objects may be missing`);
      continue;
    }
    const error: ReportError = (message, remedy, subject = object.subject) =>
      problems.push(contentProblem(plan, object, subject, message, remedy));
    const { region, version } = selected;
    const made =
      'files' in selected
        ? selected.files
        : renderObject(object, selected.value, { evaluate, variablesOnly }, error);
    objects.push({ object, files: made, region, version });
    files.push(...made.map((file) => ({ ...file, object, selected })));
  }
  const variables = variablesOf(files);
  if (!variablesOnly) problems.push(...collisions(plan, files));
  problems.push(...variableProblems(plan, variables));
  throwProblems(problems);
  const snapshotFiles: SnapshotFile[] = files.map(({ path, mode, content }) => {
    return { path, mode: mode & PERMISSIONS, content };
  });
  if (plan.envFile !== undefined) {
    const { path, mode } = plan.envFile;
    snapshotFiles.push({ path, mode: mode & PERMISSIONS, content: envFileContent(variables) });
  }
  return {
    snapshot: { files: snapshotFiles },
    facts: files.map((file) => ({ path: file.path, ...originOf(file) })),
    objects,
    variables: variables.map(({ name, value, file }) => ({ name, value, ...originOf(file) })),
    variableWarnings: plan.envFile === undefined ? [] : variableWarnings(plan, variables),
  };
}

function originOf({ object, selected: { region, version } }: RenderedFile): Origin {
  return { object: object.name, service: object.service, region, version };
}

/** Without the set-user-id bit, which is useless on a secret's file; the CSI driver drops it too. */
const PERMISSIONS = 0o777;

interface RenderedFile extends OutputFile {
  readonly object: PlannedObject;
  readonly selected: SelectedValue | KeptValue;
}

interface FileVariable extends EnvVariable {
  readonly file: RenderedFile;
}

function variablesOf(files: readonly RenderedFile[]): readonly FileVariable[] {
  return files.flatMap((file) =>
    file.variable === undefined ? [] : [{ name: file.variable, value: file.content, file }],
  );
}

/** A pattern may create a name that exists already; all other names were checked with the plan. */
function variableProblems(plan: Plan, variables: readonly FileVariable[]): readonly Problem[] {
  const problems: Problem[] = [];
  const owners = new Map<string, PlannedObject>();
  for (const variable of variables) {
    const { object } = variable.file;
    const report: ReportError = (message, remedy) =>
      problems.push(contentProblem(plan, object, object.subject, message, remedy));
    const owner = owners.get(variable.name);
    owners.set(variable.name, owner ?? object);
    if (owner !== undefined)
      report(
        `expected unique variable names, got one that ${owner.subject} also has`,
        'Give the pattern in env another prefix, or rename the key.',
      );
    const error = plan.envFile === undefined ? undefined : envValueError(variable);
    if (error !== undefined) report(error.message, error.remedy);
  }
  return problems;
}

function variableWarnings(plan: Plan, variables: readonly FileVariable[]): Rendered['variableWarnings'] {
  return variables.flatMap((variable) => {
    const { object } = variable.file;
    const warning = envValueWarning(variable);
    if (warning === undefined) return [];
    const { message, remedy } = warning;
    return [{ name: variable.name, problem: contentProblem(plan, object, object.subject, message, remedy) }];
  });
}

/** The evaluator of expressions, if the plan has one: its package is loaded at the first use. */
async function evaluator(plan: Plan): Promise<Evaluate | undefined> {
  const needed = plan.objects.some((object) => object.outputs.some(({ kind }) => kind === 'jmesPath'));
  return needed ? (await import('../formats/jmespath.ts')).evaluate : undefined;
}

/** Files of `expand` may collide with others; all other paths were checked with the plan. */
function collisions(plan: Plan, files: readonly RenderedFile[]): readonly Problem[] {
  const tree = new PathTree<RenderedFile>();
  const found: Problem[] = [];
  const report = (file: RenderedFile, other: RenderedFile | undefined) => {
    if (other === undefined) return;
    const message = `expected keys that make unique file names, got one that collides with a file of ${other.object.subject}`;
    const remedy = 'Give the object an objectAlias, which names a directory, or rename the key.';
    found.push(contentProblem(plan, file.object, file.object.subject, message, remedy));
  };
  for (const file of files) report(file, tree.claim(file.path, file));
  for (const file of files) report(file, tree.ownerAbove(file.path));
  const envPath = plan.envFile?.path;
  const conflict = files.find(
    ({ path }) => path === envPath || path.startsWith(`${envPath}/`) || envPath?.startsWith(`${path}/`),
  );
  if (conflict !== undefined) {
    const message = 'expected keys that make unique file names, got one that collides with envFile';
    const { object } = conflict;
    found.push(contentProblem(plan, object, object.subject, message, 'Rename the key, or envFile.'));
  }
  return found;
}

function contentProblem(
  plan: Plan,
  object: PlannedObject,
  subject: string,
  message: string,
  remedy: string,
): Problem {
  return new Problem({
    code: 'fetch.content',
    subject: `${subject} (${quote(object.name)})`,
    message,
    remedy,
    file: plan.file,
    line: object.line,
  });
}
