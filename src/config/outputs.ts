/**
 * The files of one object: the whole value, one per jmesPath entry, or one per key with `expand`.
 *
 * `pathTranslation` turns names into paths, each of which is checked alone. A jmesPath entry inherits the object's mode.
 */

import { type FilePath, filePath } from '../core/file-path.ts';
import { quote } from '../core/text.ts';
import type { YamlValue } from '../formats/yaml-values.ts';
import type { Diagnostics } from './diagnostics.ts';
import { type EnvClaim, readEnvName, readEnvPattern } from './env.ts';
import { Fields, kindText, type TextField } from './fields.ts';
import { placeOfKey } from './keys.ts';
import type { Output } from './plan.ts';

/** A path that an output claims. */
export interface Claim {
  readonly kind: 'file' | 'directory';
  readonly path: FilePath;
  /** The name or alias that the path was created from. */
  readonly raw: string;
  readonly subject: string;
  readonly line: number;
}

/** What applies to the outputs of all objects. */
export interface OutputContext {
  /** The text that replaces `/` in file names; '' keeps the slashes. Undefined if the parameter is invalid. */
  readonly pathTranslation: string | undefined;
  /** Permission bits for an object without filePermission. */
  readonly defaultMode: number;
  /** Checks jmesPath expressions; undefined in a config that has none. */
  readonly expressions: Expressions | undefined;
  readonly diagnostics: Diagnostics;
}

type Expressions = Pick<typeof import('../formats/jmespath.ts'), 'expressionError' | 'callError'>;

type ObjectFields = Fields<'objectName' | 'objectAlias' | 'filePermission' | 'jmesPath' | 'env' | 'envCase'>;

/** The outputs of an object, and the paths and variables that they claim. */
export interface ReadOutputs {
  readonly outputs: readonly Output[];
  readonly claims: readonly Claim[];
  readonly envClaims: readonly EnvClaim[];
}

/** Reads the outputs of an object with this objectName. */
export function readOutputs(
  fields: ObjectFields,
  { name, expand }: { readonly name: string | undefined; readonly expand: boolean },
  context: OutputContext,
): ReadOutputs {
  const outputs: Output[] = [];
  const claims: Claim[] = [];
  const envClaims: EnvClaim[] = [];
  const alias = fields.text('objectAlias');
  const mode = readPermission(fields) ?? context.defaultMode;
  const claim = (fields: Omit<Claim, 'path'>): FilePath | undefined => {
    const path = outputPath(fields, context);
    if (path !== undefined) claims.push({ ...fields, path });
    return path;
  };

  const claimEnv = (env: EnvClaim | undefined): string | undefined => {
    if (env !== undefined) envClaims.push(env);
    return env?.name;
  };

  const nameKey = alias === undefined ? 'objectName' : 'objectAlias';
  const place = { subject: `${fields.subject}.${nameKey}`, line: fields.lineOf(nameKey) };
  if (!expand) {
    const env = claimEnv(readEnvName(fields));
    const raw = alias?.text ?? name;
    const path = raw === undefined ? undefined : claim({ kind: 'file', raw, ...place });
    if (path !== undefined) outputs.push({ kind: 'whole', path, mode, env });
  } else {
    const env = readEnvPattern(fields);
    const directory = alias === undefined ? '' : claim({ kind: 'directory', raw: alias.text, ...place });
    if (directory !== undefined) outputs.push({ kind: 'expand', directory, mode, env });
  }

  for (const [index, value] of (fields.list('jmesPath')?.items ?? []).entries()) {
    const entry = readEntry(value, `${fields.subject}.jmesPath[${index}]`, context);
    if (entry === undefined) continue;
    const env = claimEnv(entry.env);
    const { subject, expression, alias } = entry;
    const path = claim({
      kind: 'file',
      raw: alias.text,
      subject: `${subject}.objectAlias`,
      line: alias.line,
    });
    if (path === undefined) continue;
    outputs.push({ kind: 'jmesPath', path, mode: entry.mode ?? mode, expression, subject, env });
  }
  return { outputs, claims, envClaims };
}

interface Entry {
  readonly subject: string;
  readonly expression: string;
  readonly alias: TextField;
  readonly mode: number | undefined;
  readonly env: EnvClaim | undefined;
}

const entryKeys = ['path', 'objectAlias', 'filePermission', 'env', 'envCase'] as const;

function readEntry(value: YamlValue, subject: string, context: OutputContext): Entry | undefined {
  const { diagnostics } = context;
  if (value.kind !== 'map') {
    const message = `expected an entry with path and objectAlias, got ${kindText(value)}`;
    const remedy = 'Write path and objectAlias.';
    diagnostics.error('config.jmesPath', subject, { line: value.line, message, remedy });
    return undefined;
  }
  const style = { match: 'anyCase', code: 'config.jmesPath', placeOf: placeOfKey } as const;
  const fields = new Fields([value], entryKeys, style, subject, diagnostics);
  const path = fields.text('path');
  const alias = fields.text('objectAlias');
  const mode = readPermission(fields);
  const env = readEnvName(fields);
  if (path === undefined) fields.error(undefined, 'expected an expression in path, got none', 'Write path.');
  if (alias === undefined)
    fields.error(undefined, 'expected objectAlias, the name of the file, got none', 'Write objectAlias.');
  if (path !== undefined) checkExpression(path, subject, context);
  return path && alias && { subject, expression: path.text, alias, mode, env };
}

function checkExpression(
  { text, line }: TextField,
  subject: string,
  { expressions, diagnostics }: OutputContext,
): void {
  const error = expressions?.expressionError(text);
  const warning = error === undefined ? expressions?.callError(text) : undefined;
  if (error !== undefined) diagnostics.error('config.jmesPath', subject, { line, ...error });
  if (warning !== undefined) diagnostics.warning('config.jmesPath', subject, { line, ...warning });
}

/** Four octal digits, with or without quotes: YAML reads an unquoted 0600 as 384. */
function readPermission(fields: Fields<'filePermission'>): number | undefined {
  const field = fields.scalar('filePermission');
  if (field === undefined) return undefined;
  const text = field.plain !== undefined && OCTAL.test(field.plain) ? field.plain : field.text;
  if (!OCTAL.test(text)) {
    const raw = field.plain ?? field.text;
    const message = `expected four octal digits, got ${quote(raw)}`;
    const suggestion = /^(0o?)?[0-7]{3}$/.test(raw) ? `"0${raw.slice(-3)}"` : '"0644", or another mode';
    fields.error('filePermission', message, `Write filePermission: ${suggestion}.`);
    return undefined;
  }
  const mode = Number.parseInt(text, 8);
  if ((mode & OWNER_READ) === 0) {
    const message = `expected a mode that lets the owner read, got ${quote(text)}: podsecrets must read the file at the next sync`;
    fields.error('filePermission', message, `Write filePermission: "0${withOwnerRead(mode)}".`);
  }
  if (mode > 0o777) {
    const message = `expected a mode from 0400 to 0777, got ${quote(text)}; the first digit is ignored`;
    fields.warning('filePermission', message, `Write filePermission: "0${text.slice(1)}".`);
  }
  return mode;
}

const OCTAL = /^[0-7]{4}$/;
const OWNER_READ = 0o400;

function withOwnerRead(mode: number): string {
  return ((mode | OWNER_READ) & 0o777).toString(8).padStart(3, '0');
}

/** The path of a name or alias; undefined, and reported, if it is not below the directory. */
export function outputPath(
  { raw, subject, line }: Omit<Claim, 'path'>,
  context: Pick<OutputContext, 'pathTranslation' | 'diagnostics'>,
): FilePath | undefined {
  if (context.pathTranslation === undefined) return undefined;
  const path = filePath(translated(raw, context.pathTranslation));
  if (typeof path === 'string') return path;
  context.diagnostics.error('config.path', subject, {
    line,
    message: `expected a path below the directory, got ${quote(raw)}: ${path.reason}`,
    remedy: subject.startsWith('parameters.')
      ? 'Write a plain file name.'
      : 'Write objectAlias with a plain file name.',
  });
  return undefined;
}

function translated(name: string, translation: string): string {
  return translation === '' ? name.replace(/^\/+/, '') : name.replaceAll('/', translation);
}
