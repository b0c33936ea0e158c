/**
 * `spec.secretObjects`: the Kubernetes Secrets to create from the files.
 *
 * They are applied only with --sync-secrets. Without it a mistake here is a warning, because the CSI driver too mounts the files of
 * such a class and only fails to create the Secret. Entries with mistakes are left out of the plan.
 */

import { quote } from '../core/text.ts';
import type { YamlValue } from '../formats/yaml-values.ts';
import type { Diagnostics } from './diagnostics.ts';
import { Fields, kindText } from './fields.ts';
import { mayCreate, type PlannedObject, type SecretObject } from './plan.ts';
import { checkSecretObject } from './secret-object-rules.ts';

/** The context for checking the entries. */
export interface SecretObjectContext {
  /** Undefined if the objects have errors, because not all files are known then. */
  readonly objects: readonly PlannedObject[] | undefined;
  /** Whether the Secrets will be applied, so that a mistake is an error. */
  readonly applied: boolean;
  readonly diagnostics: Diagnostics;
}

const entryKeys = ['secretName', 'type', 'labels', 'annotations', 'data'] as const;
type EntryFields = Fields<(typeof entryKeys)[number]>;
const KUBERNETES = { match: 'exact', code: 'config.secretObjects' } as const;

/** Reads and checks the entries. */
export function readSecretObjects(
  value: YamlValue | undefined,
  context: SecretObjectContext,
): readonly SecretObject[] {
  if (value?.kind !== 'list') return [];
  const names = new Set<string>();
  return value.items.flatMap((item, index) => {
    const entry = readSecretObject(item, `secretObjects[${index}]`, context);
    if (entry === undefined) return [];
    if (names.has(entry.secretName)) {
      const message = `expected a unique secretName, got ${quote(entry.secretName)}, which another entry also has`;
      const remedy = 'Join the two entries, or rename one.';
      report(context, `${entry.subject}.secretName`, entry.line, message, remedy);
      return [];
    }
    names.add(entry.secretName);
    return [entry];
  });
}

/** `part` is appended to the entry's subject: `.data[0].key`. */
type ReportPart = (part: string, line: number, message: string, remedy: string) => void;

function readSecretObject(
  value: YamlValue,
  subject: string,
  context: SecretObjectContext,
): SecretObject | undefined {
  let valid = true;
  const reportPart: ReportPart = (part, line, message, remedy) => {
    valid = false;
    report(context, subject + part, line, message, remedy);
  };
  if (value.kind !== 'map') {
    reportPart('', value.line, `expected a map, got ${kindText(value)}`, 'Write secretName, type and data.');
    return undefined;
  }
  const fields: EntryFields = new Fields([value], entryKeys, KUBERNETES, subject, context.diagnostics);
  const secretName = trimmed(fields, 'secretName');
  const type = trimmed(fields, 'type');
  if (secretName === '')
    reportPart('.secretName', value.line, 'expected a name, got none', 'Write secretName.');
  if (type === '')
    reportPart('.type', value.line, 'expected a type, got none', 'Write type: Opaque, or another.');
  const data = readData(fields, context, reportPart);
  const labels = readTexts(fields, 'labels');
  const annotations = readTexts(fields, 'annotations');
  if (!valid) return undefined;
  const object = { subject, line: value.line, secretName, type, labels, annotations, data };
  checkSecretObject(object, (part, message, remedy) => reportPart(`.${part}`, value.line, message, remedy));
  return valid ? object : undefined;
}

function readData(
  fields: EntryFields,
  context: SecretObjectContext,
  reportPart: ReportPart,
): SecretObject['data'] {
  const items = fields.list('data')?.items ?? [];
  if (items.length === 0) {
    const remedy = 'Write data with objectName and key.';
    reportPart('.data', fields.lineOf('data'), 'expected at least one entry, got none', remedy);
  }
  const keys = new Set<string>();
  return items.flatMap((item, index) => {
    const part = `.data[${index}]`;
    if (item.kind !== 'map') {
      reportPart(part, item.line, `expected a map, got ${kindText(item)}`, 'Write objectName and key.');
      return [];
    }
    const subject = fields.subject + part;
    const entry = new Fields([item], ['objectName', 'key'], KUBERNETES, subject, context.diagnostics);
    const objectName = trimmed(entry, 'objectName');
    const key = trimmed(entry, 'key');
    if (objectName === '') reportPart(part, item.line, 'expected objectName, got none', 'Write objectName.');
    else if (context.objects?.every((object) => !mayCreate(object, objectName))) {
      const message = `expected the path of a file of this config, got ${quote(objectName)}`;
      reportPart(
        `${part}.objectName`,
        entry.lineOf('objectName'),
        message,
        pathRemedy(objectName, context.objects),
      );
    }
    if (key === '') reportPart(part, item.line, 'expected key, got none', 'Write key.');
    else if (keys.has(key)) {
      const message = `expected a unique key, got ${quote(key)}, which another entry also has`;
      reportPart(`${part}.key`, entry.lineOf('key'), message, 'Rename one of the two.');
    }
    keys.add(key);
    return [{ objectName, key }];
  });
}

/** The usual mistake is the name in AWS instead of the file's path. */
function pathRemedy(name: string, objects: readonly PlannedObject[]): string {
  const output = objects.find((object) => object.name === name)?.outputs[0];
  return output === undefined || output.kind === 'expand'
    ? 'Write the objectAlias, or the objectName with its slashes translated.'
    : `Write objectName: ${quote(output.path)}, the path of the file.`;
}

/** The CSI driver trims all of them. */
function trimmed<Name extends string>(fields: Fields<Name>, name: Name): string {
  return fields.text(name)?.text.trim() ?? '';
}

function readTexts(fields: EntryFields, name: 'labels' | 'annotations'): Readonly<Record<string, string>> {
  const entries = fields.maps(name).flatMap((map) => map.entries);
  return Object.fromEntries(
    entries.map(({ key, value }) => [key, value.kind === 'scalar' ? (value.plain ?? value.text) : '']),
  );
}

function report(
  { applied, diagnostics }: SecretObjectContext,
  subject: string,
  line: number | undefined,
  message: string,
  remedy: string,
): void {
  if (applied) diagnostics.error('config.secretObjects', subject, { line, message, remedy });
  else diagnostics.warning('config.secretObjects', subject, { line, message, remedy });
}
