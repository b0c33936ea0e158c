/**
 * Fetched values become the files that shall exist.
 *
 * The whole value, a field of it, or one file per key, decoded first when the config says so. Either every object renders,
 * or all that stands against it is thrown, in fixed sentences: no parser's message, no part of a value, not even a key's
 * name leaves this file other than in a secret or, once it is valid, as the name of a file.
 */

import { PathTree } from '../config/path-conflicts.ts';
import type { Output, Plan, PlannedObject } from '../config/plan.ts';
import type { Service } from '../config/secret-ref.ts';
import { type FilePath, filePath } from '../core/file-path.ts';
import { Problem, throwProblems } from '../core/problem.ts';
import { Secret } from '../core/secret.ts';
import { quote } from '../core/text.ts';
import { exactJson } from '../formats/exact-json.ts';
import { isJsonObject, type JsonValue, parseJson } from '../formats/json.ts';
import { utf8Text } from '../formats/utf8.ts';
import type { Snapshot, SnapshotFile } from '../publish/snapshot.ts';

/** The value that serves an object. */
export interface SelectedValue {
  readonly value: Secret;
  readonly version: string;
  readonly region: string;
}

/** Where a file comes from. */
export interface FileFact {
  readonly path: FilePath;
  /** objectName, as written. */
  readonly object: string;
  readonly service: Service;
  readonly region: string;
  readonly version: string;
}

/** The files, and where each comes from. */
export interface Rendered {
  readonly snapshot: Snapshot;
  /** One for each file, in the same order. */
  readonly facts: readonly FileFact[];
}

/** Renders the plan. Optional objects may be missing from `served`. Throws Problems of code `fetch.content`. */
export async function render(
  plan: Plan,
  served: ReadonlyMap<PlannedObject, SelectedValue>,
): Promise<Rendered> {
  const evaluate = await evaluator(plan);
  const problems: Problem[] = [];
  const files: RenderedFile[] = [];
  for (const object of plan.objects) {
    const value = served.get(object);
    if (value === undefined) {
      if (!object.optional)
        throw new Error(`no value for ${object.subject}: only optional objects may be missing`);
      continue;
    }
    const refuse: Refuse = (message, remedy, subject = object.subject) =>
      problems.push(contentProblem(plan, object, subject, message, remedy));
    files.push(...renderObject(object, value, evaluate, refuse));
  }
  problems.push(...collisions(plan, files));
  throwProblems(problems);
  return {
    snapshot: {
      files: files.map(({ path, mode, content }) => ({ path, mode: mode & PERMISSIONS, content })),
    },
    facts: files.map(({ path, object, served: { region, version } }) => {
      return { path, object: object.name, service: object.service, region, version };
    }),
  };
}

/** A set-user-id bit means nothing on a secret's file; the CSI driver drops it too. */
const PERMISSIONS = 0o777;

interface RenderedFile extends SnapshotFile {
  readonly object: PlannedObject;
  readonly served: SelectedValue;
}

type Refuse = (message: string, remedy: string, subject?: string) => void;
type Evaluate = typeof import('../formats/jmespath.ts').evaluate;

/** The expression language, if the plan has an expression; its package is loaded the first time. */
async function evaluator(plan: Plan): Promise<Evaluate | undefined> {
  const needed = plan.objects.some((object) => object.outputs.some(({ kind }) => kind === 'jmesPath'));
  return needed ? (await import('../formats/jmespath.ts')).evaluate : undefined;
}

function renderObject(
  object: PlannedObject,
  served: SelectedValue,
  evaluate: Evaluate | undefined,
  refuse: Refuse,
): readonly RenderedFile[] {
  const value = object.decode === undefined ? served.value : decoded(served.value);
  if (value === undefined) {
    refuse('expected base64 in the value, got something else', 'Correct the value, or remove decode.');
    return [];
  }
  const needsJson = object.outputs.some(({ kind }) => kind !== 'whole');
  const json = needsJson ? parseJson(value.reveal()) : undefined;
  if (needsJson && json === undefined) {
    refuse(
      'expected JSON in the value, got something else',
      'Store the value as JSON, or remove jmesPath and expand.',
    );
    return [];
  }
  return object.outputs.flatMap((output) =>
    contents(output, value, json ?? null, evaluate, refuse).map((file) => ({ ...file, object, served })),
  );
}

function contents(
  output: Output,
  value: Secret,
  json: JsonValue,
  evaluate: Evaluate | undefined,
  refuse: Refuse,
): readonly SnapshotFile[] {
  switch (output.kind) {
    case 'whole':
      return [{ path: output.path, mode: output.mode, content: value }];
    case 'jmesPath': {
      const { expression, subject } = output;
      const result = evaluate?.(expression, json);
      if (result?.kind !== 'value') {
        const message = `expected a value at ${quote(expression)}, got ${result?.found}`;
        refuse(message, 'Correct the expression or the value.', subject);
        return [];
      }
      const find = (json: JsonValue) => {
        const found = evaluate?.(expression, json);
        return found?.kind === 'value' ? found.value : undefined;
      };
      const content = fieldContent(result.value, value, find, (message, remedy) =>
        refuse(message, remedy, subject),
      );
      return content === undefined ? [] : [{ path: output.path, mode: output.mode, content }];
    }
    case 'expand':
      if (isJsonObject(json)) return expanded(output, Object.entries(json), value, refuse);
      refuse('expected a JSON object in the value, got other JSON', 'Store an object, or remove expand.');
      return [];
    default:
      return output satisfies never;
  }
}

function expanded(
  { directory, mode }: Extract<Output, { kind: 'expand' }>,
  entries: readonly (readonly [key: string, field: JsonValue])[],
  value: Secret,
  refuse: Refuse,
): readonly SnapshotFile[] {
  return entries.flatMap(([key, field], index) => {
    const which = `key ${index + 1} of ${entries.length}`;
    const path =
      key === '' || key === '.' || key.includes('/')
        ? undefined
        : filePath(directory === '' ? key : `${directory}/${key}`);
    if (typeof path !== 'string') {
      refuse(`expected keys that can be file names, got another one as ${which}`, 'Rename the key.');
      return [];
    }
    const find = (json: JsonValue) => (isJsonObject(json) ? json[key] : undefined);
    const content = fieldContent(field, value, find, (message, remedy) =>
      refuse(`${message} (${which})`, remedy),
    );
    return content === undefined ? [] : [{ path, mode, content }];
  });
}

/** Text as it is, everything else as compact JSON; null has no content. `find` finds the field in the value's JSON. */
function fieldContent(
  field: JsonValue,
  value: Secret,
  find: (json: JsonValue) => JsonValue | undefined,
  refuse: Refuse,
): Secret | undefined {
  if (typeof field === 'string') return new Secret(field);
  if (field === null) {
    refuse('expected a value, got null', 'Store a value, or an empty text.');
    return undefined;
  }
  const text = exactJson(field, value.reveal(), find);
  if (text === undefined) {
    refuse(
      'expected numbers that a 64-bit float keeps exactly, got a larger one',
      'Store the number as text.',
    );
    return undefined;
  }
  return new Secret(text);
}

/** Standard base64 with padding; white space, as of wrapped lines, does not count. */
function decoded(value: Secret): Secret | undefined {
  const packed = utf8Text(value.reveal()).replace(/[ \t\r\n]/g, '');
  if (packed.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(packed)) return undefined;
  return new Secret(Uint8Array.from(atob(packed), (character) => character.charCodeAt(0)));
}

/** Files that `expand` made may collide with others; everything else was checked with the plan. */
function collisions(plan: Plan, files: readonly RenderedFile[]): readonly Problem[] {
  const tree = new PathTree<RenderedFile>();
  const found: Problem[] = [];
  const report = (file: RenderedFile, other: RenderedFile | undefined) => {
    if (other === undefined) return;
    const message = `expected keys that make files of their own, got one that collides with a file of ${other.object.subject}`;
    const remedy = 'Give the object an objectAlias, which names a directory, or rename the key.';
    found.push(contentProblem(plan, file.object, file.object.subject, message, remedy));
  };
  for (const file of files) report(file, tree.claim(file.path, file));
  for (const file of files) report(file, tree.ownerAbove(file.path));
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
