/**
 * The files of one object.
 *
 * The whole value, a field of it, or one file for each key. Mistakes are reported in fixed sentences, without a parser's message, part
 * of a value or the name of a key.
 */

import { patternName, sensitiveName } from '../config/env.ts';
import type { EnvPattern, Output, PlannedObject } from '../config/plan.ts';
import { isEnvName } from '../core/environment.ts';
import { type FilePath, filePath } from '../core/file-path.ts';
import { Secret } from '../core/secret.ts';
import { quote } from '../core/text.ts';
import { compareText, exactJson, isJsonObject, type JsonValue, parseGoJson } from '../formats/json.ts';
import { utf8Text } from '../formats/utf8.ts';
import type { SnapshotFile } from '../publish/snapshot.ts';

/** The file of an output, and the variable with the same content if `env` names one. */
export interface OutputFile extends SnapshotFile {
  readonly variable: string | undefined;
}

/** Reports a mistake in a value; `subject` is a part of the object, by default the whole object. */
export type ReportError = (message: string, remedy: string, subject?: string) => void;

/** Applies a JMESPath expression. */
export type Evaluate = typeof import('../formats/jmespath.ts').evaluate;

/** How to render an object. */
export interface RenderOptions {
  /** Needed for jmesPath. */
  readonly evaluate: Evaluate | undefined;
  /** Whether no file is published: a key need not be the name of a file. */
  readonly variablesOnly: boolean;
}

/** Renders the outputs of an object from its value. Outputs that cannot be rendered are reported and left out. */
export function renderObject(
  object: PlannedObject,
  fetched: Secret,
  options: RenderOptions,
  error: ReportError,
): readonly OutputFile[] {
  const value = object.decode === undefined ? fetched : decoded(fetched);
  if (value === undefined) {
    error('expected base64 in the value, got something else', 'Correct the value, or remove decode.');
    return [];
  }
  const needsJson = object.outputs.some(({ kind }) => kind !== 'whole');
  const json = needsJson ? parseGoJson(value.reveal()) : undefined;
  if (needsJson && json === undefined) {
    error(
      'expected JSON in the value, got something else',
      'Store the value as JSON, or remove jmesPath and expand.',
    );
    return [];
  }
  return object.outputs.flatMap((output) => contents(output, value, json ?? null, options, error));
}

function contents(
  output: Output,
  value: Secret,
  json: JsonValue,
  { evaluate, variablesOnly }: RenderOptions,
  error: ReportError,
): readonly OutputFile[] {
  switch (output.kind) {
    case 'whole':
      return [{ path: output.path, mode: output.mode, content: value, variable: output.env }];
    case 'jmesPath': {
      const { expression, subject } = output;
      const result = evaluate?.(expression, json);
      if (result?.kind !== 'value') {
        const message = `expected a value at ${quote(expression)}, got ${result?.found}`;
        error(message, 'Correct the expression or the value.', subject);
        return [];
      }
      const find = (json: JsonValue) => {
        const found = evaluate?.(expression, json);
        return found?.kind === 'value' ? found.value : undefined;
      };
      const content = fieldContent(result.value, value, find, (message, remedy) =>
        error(message, remedy, subject),
      );
      return content === undefined
        ? []
        : [{ path: output.path, mode: output.mode, content, variable: output.env }];
    }
    case 'expand':
      if (isJsonObject(json)) return expanded(output, Object.entries(json), value, variablesOnly, error);
      error('expected a JSON object in the value, got other JSON', 'Store an object, or remove expand.');
      return [];
    default:
      return output satisfies never;
  }
}

function expanded(
  { directory, mode, env }: Extract<Output, { kind: 'expand' }>,
  entries: readonly (readonly [key: string, field: JsonValue])[],
  value: Secret,
  variablesOnly: boolean,
  error: ReportError,
): readonly OutputFile[] {
  const files = entries.flatMap(([key, field], index) => {
    const which = `key ${index + 1} of ${entries.length}`;
    const path = keyPath(directory, key) ?? (variablesOnly ? keyPath(directory, which) : undefined);
    if (path === undefined) {
      error(`expected a key that can be a file name, got another one (${which})`, 'Rename the key.');
      return [];
    }
    const find = (json: JsonValue) => (isJsonObject(json) ? json[key] : undefined);
    const content = fieldContent(field, value, find, (message, remedy) =>
      error(`${message} (${which})`, remedy),
    );
    const variable =
      env === undefined
        ? undefined
        : variableOf(env, key, (message, remedy) => error(`${message} (${which})`, remedy));
    return content === undefined ? [] : [{ path, mode, content, variable }];
  });
  return files.toSorted((a, b) => compareText(a.path, b.path));
}

/** Undefined if the key cannot be the name of a file. */
function keyPath(directory: string, key: string): FilePath | undefined {
  if (key === '' || key === '.' || key.includes('/')) return undefined;
  const path = filePath(directory === '' ? key : `${directory}/${key}`);
  return typeof path === 'string' ? path : undefined;
}

/** The variable for a key by the pattern; undefined, and reported, if the name is not allowed. */
function variableOf(env: EnvPattern, key: string, error: ReportError): string | undefined {
  const name = patternName(env, key);
  if (!isEnvName(name)) {
    const remedy =
      'Rename the key to letters, digits and _, or write envCase: upper, which replaces - . and /.';
    error('expected keys that can be names of variables, got another one', remedy);
    return undefined;
  }
  const sensitive = sensitiveName(name);
  if (sensitive === undefined) return name;
  // Otherwise anyone who can write the value could run code in the application.
  error(
    `expected keys that do not change how programs run, got one that becomes ${sensitive}`,
    'Rename the key, or give the pattern in env another prefix.',
  );
  return undefined;
}

/** Text unchanged, everything else as compact JSON; null has no content. `find` locates the field in the value's JSON. */
function fieldContent(
  field: JsonValue,
  value: Secret,
  find: (json: JsonValue) => JsonValue | undefined,
  error: ReportError,
): Secret | undefined {
  if (typeof field === 'string') return new Secret(field);
  if (field === null) {
    error('expected a value, got null', 'Store a value, or an empty text.');
    return undefined;
  }
  const text = exactJson(field, value.reveal(), find);
  if (text === undefined) {
    error(
      'expected numbers that a 64-bit float keeps exactly, got a larger one',
      'Store the number as text.',
    );
    return undefined;
  }
  return new Secret(text);
}

/** Standard base64 with padding; white space, such as line breaks, is ignored. */
function decoded(value: Secret): Secret | undefined {
  const packed = utf8Text(value.reveal()).replace(/[ \t\r\n]/g, '');
  if (packed.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(packed)) return undefined;
  return new Secret(Uint8Array.from(atob(packed), (character) => character.charCodeAt(0)));
}
