/**
 * Which files one object makes: the whole value, one per jmesPath entry, or one per key with `expand`.
 *
 * Names become paths here, by `pathTranslation`; each path is checked by itself. Modes are handed down from the object to
 * its jmesPath entries.
 */

import { type FilePath, filePath } from '../core/file-path.ts';
import { quote } from '../core/text.ts';
import type { YamlValue } from '../formats/yaml.ts';
import { Fields, kindText, type TextField } from './fields.ts';
import type { ObjectContext, ObjectFields } from './object-keys.ts';
import type { Output } from './plan.ts';

/** A path that an output needs for itself. */
export interface Claim {
  readonly kind: 'file' | 'directory';
  readonly path: FilePath;
  /** The name or alias that the path was made of. */
  readonly written: string;
  readonly subject: string;
  readonly line: number;
}

/** Reads the outputs of an object with this objectName. */
export function readOutputs(
  fields: ObjectFields,
  { name, expand }: { readonly name: string | undefined; readonly expand: boolean },
  context: ObjectContext,
): { readonly outputs: readonly Output[]; readonly claims: readonly Claim[] } {
  const outputs: Output[] = [];
  const claims: Claim[] = [];
  const alias = fields.text('objectAlias');
  const mode =
    readPermission(fields.scalar('filePermission'), fields.subject, context) ?? context.defaultMode;
  const claim = (claimed: Omit<Claim, 'path'>): FilePath | undefined => {
    const path = pathOf(claimed, context);
    if (path !== undefined) claims.push({ ...claimed, path });
    return path;
  };

  const subject = alias === undefined ? `${fields.subject}.objectName` : `${fields.subject}.objectAlias`;
  const line = fields.lineOf(alias === undefined ? 'objectName' : 'objectAlias');
  if (!expand) {
    const written = alias?.text ?? name;
    const path = written === undefined ? undefined : claim({ kind: 'file', written, subject, line });
    if (path !== undefined) outputs.push({ kind: 'whole', path, mode });
  } else if (alias === undefined) {
    outputs.push({ kind: 'expand', directory: '', mode });
  } else {
    const directory = claim({ kind: 'directory', written: alias.text, subject, line });
    if (directory !== undefined) outputs.push({ kind: 'expand', directory, mode });
  }

  for (const [index, value] of (fields.list('jmesPath')?.items ?? []).entries()) {
    const entry = readEntry(value, `${fields.subject}.jmesPath[${index}]`, context);
    if (entry === undefined) continue;
    const place = { subject: `${entry.subject}.objectAlias`, line: entry.alias.line };
    const path = claim({ kind: 'file', written: entry.alias.text, ...place });
    if (path === undefined) continue;
    const { expression } = entry;
    outputs.push({ kind: 'jmesPath', path, mode: entry.mode ?? mode, expression, subject: entry.subject });
  }
  return { outputs, claims };
}

interface Entry {
  readonly subject: string;
  readonly expression: string;
  readonly alias: TextField;
  readonly mode: number | undefined;
}

function readEntry(value: YamlValue, subject: string, context: ObjectContext): Entry | undefined {
  const refuse = (message: string, remedy: string) =>
    context.findings.error({ code: 'config.jmesPath', subject, line: value.line, message, remedy });
  if (value.kind !== 'map') {
    refuse(
      `expected an entry with path and objectAlias, got ${kindText(value)}`,
      'Write path and objectAlias.',
    );
    return undefined;
  }
  const keys = ['path', 'objectAlias', 'filePermission'] as const;
  const fields = new Fields(
    [value],
    keys,
    { match: 'anyCase', code: 'config.jmesPath' },
    subject,
    context.findings,
  );
  const path = fields.text('path');
  const alias = fields.text('objectAlias');
  const mode = readPermission(fields.scalar('filePermission'), subject, context);
  if (path === undefined) refuse('expected an expression in path, got none', 'Write path.');
  if (alias === undefined)
    refuse('expected objectAlias, the name of the file, got none', 'Write objectAlias.');
  if (path !== undefined) checkExpression(path, subject, context);
  return path && alias && { subject, expression: path.text, alias, mode };
}

function checkExpression(path: TextField, subject: string, { expressions, findings }: ObjectContext): void {
  const place = { code: 'config.jmesPath', subject, line: path.line } as const;
  const fault = expressions?.expressionFault(path.text);
  const call = fault === undefined ? expressions?.callFault(path.text) : undefined;
  if (fault !== undefined) findings.error({ ...place, ...fault });
  else if (call !== undefined) findings.warning({ ...place, ...call });
}

/** Four octal digits, in quotes or not: YAML would make 384 of an unquoted 0600. */
function readPermission(
  field: TextField | undefined,
  subject: string,
  context: ObjectContext,
): number | undefined {
  if (field === undefined) return undefined;
  const text = field.plain !== undefined && OCTAL.test(field.plain) ? field.plain : field.text;
  const place = { code: 'config.object', subject: `${subject}.filePermission`, line: field.line } as const;
  if (!OCTAL.test(text)) {
    const message = `expected four octal digits, got ${quote(field.plain ?? field.text)}`;
    context.findings.error({ ...place, message, remedy: 'Write filePermission: "0644", or another mode.' });
    return undefined;
  }
  const mode = Number.parseInt(text, 8);
  if (mode > 0o777) {
    const message = `expected a mode from 0000 to 0777, got ${quote(text)}; the first digit is left out`;
    context.findings.warning({ ...place, message, remedy: `Write filePermission: "0${text.slice(1)}".` });
  }
  return mode;
}

const OCTAL = /^[0-7]{4}$/;

function pathOf(
  { written, subject, line }: Omit<Claim, 'path'>,
  context: ObjectContext,
): FilePath | undefined {
  if (context.pathTranslation === undefined) return undefined;
  const path = filePath(translated(written, context.pathTranslation));
  if (typeof path === 'string') return path;
  context.findings.error({
    code: 'config.path',
    subject,
    line,
    message: `expected a path below the directory, got ${quote(written)}: ${path.fault}`,
    remedy: 'Write objectAlias with a plain file name.',
  });
  return undefined;
}

function translated(name: string, translation: string): string {
  return translation === '' ? name.replace(/^\/+/, '') : name.replaceAll('/', translation);
}
