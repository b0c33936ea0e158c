/**
 * `spec.secretObjects`: the Kubernetes Secrets to make of the files.
 *
 * They matter only to those who have them applied. Without that a mistake here is a warning, because the CSI driver too
 * mounts the files of such a class and merely fails to make the Secret. Entries with mistakes are left out of the plan.
 */

import { quote } from '../core/text.ts';
import type { YamlValue } from '../formats/yaml.ts';
import type { Diagnostic, Diagnostics } from './diagnostics.ts';
import { Fields, kindText } from './fields.ts';
import { mayMake, type PlannedObject, type SecretObject } from './plan.ts';
import { checkSecretObject } from './secret-object-rules.ts';

/** What the entries are checked against. */
export interface SecretObjectContext {
  /** Undefined when the objects have problems of their own, and so not all files are known. */
  readonly objects: readonly PlannedObject[] | undefined;
  /** Whether the Secrets will be applied, so that a mistake is a problem. */
  readonly applied: boolean;
  readonly findings: Diagnostics;
}

const entryKeys = ['secretName', 'type', 'labels', 'annotations', 'data'] as const;
type EntryFields = Fields<(typeof entryKeys)[number]>;
const KUBERNETES = { match: 'exact', code: 'config.secretObjects' } as const;

/** Reads the entries; what is wrong with them goes to the findings. */
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
      const message = `expected a secretName of its own, got ${quote(entry.secretName)}, which another entry has`;
      say(
        context,
        `${entry.subject}.secretName`,
        entry.line,
        message,
        'Join the two entries, or rename one.',
      );
      return [];
    }
    names.add(entry.secretName);
    return [entry];
  });
}

function readSecretObject(
  value: YamlValue,
  subject: string,
  context: SecretObjectContext,
): SecretObject | undefined {
  let sound = true;
  const complain: Complain = (part, line, message, remedy) => {
    sound = false;
    say(context, subject + part, line, message, remedy);
  };
  if (value.kind !== 'map') {
    complain('', value.line, `expected a map, got ${kindText(value)}`, 'Write secretName, type and data.');
    return undefined;
  }
  const fields = new Fields([value], entryKeys, KUBERNETES, subject, context.findings);
  const secretName = trimmed(fields, 'secretName');
  const type = trimmed(fields, 'type');
  if (secretName === '')
    complain('.secretName', value.line, 'expected a name, got none', 'Write secretName.');
  if (type === '')
    complain('.type', value.line, 'expected a type, got none', 'Write type: Opaque, or another.');
  const data = readData(fields, context, complain);
  const labels = readTexts(fields, 'labels');
  const annotations = readTexts(fields, 'annotations');
  if (!sound) return undefined;
  const object = { subject, line: value.line, secretName, type, labels, annotations, data };
  const refused = checkSecretObject(object);
  for (const finding of refused) say(context, finding.subject, finding.line, finding.message, finding.remedy);
  return refused.length > 0 ? undefined : object;
}

type Complain = (part: string, line: number, message: string, remedy: string) => void;

function readData(
  fields: EntryFields,
  context: SecretObjectContext,
  complain: Complain,
): SecretObject['data'] {
  const items = fields.list('data')?.items ?? [];
  if (items.length === 0) {
    const remedy = 'Write data with objectName and key.';
    complain('.data', fields.lineOf('data'), 'expected at least one entry, got none', remedy);
  }
  const seen = new Set<string>();
  return items.flatMap((item, index) => {
    const part = `.data[${index}]`;
    if (item.kind !== 'map') {
      complain(part, item.line, `expected a map, got ${kindText(item)}`, 'Write objectName and key.');
      return [];
    }
    const subject = fields.subject + part;
    const entry = new Fields([item], ['objectName', 'key'], KUBERNETES, subject, context.findings);
    const objectName = trimmed(entry, 'objectName');
    const key = trimmed(entry, 'key');
    if (objectName === '') complain(part, item.line, 'expected objectName, got none', 'Write objectName.');
    else if (context.objects?.every((object) => !mayMake(object, objectName))) {
      const message = `expected the path of a file of this config, got ${quote(objectName)}`;
      const remedy = 'Write the objectAlias, or the objectName with its slashes translated.';
      complain(`${part}.objectName`, entry.lineOf('objectName'), message, remedy);
    }
    if (key === '') complain(part, item.line, 'expected key, got none', 'Write key.');
    else if (seen.has(key)) {
      const message = `expected a key of its own, got ${quote(key)}, which another entry has`;
      complain(`${part}.key`, entry.lineOf('key'), message, 'Rename one of the two.');
    }
    seen.add(key);
    return [{ objectName, key }];
  });
}

/** As the CSI driver trims all of them. */
function trimmed<Name extends string>(fields: Fields<Name>, name: Name): string {
  return fields.text(name)?.text.trim() ?? '';
}

function readTexts(fields: EntryFields, name: 'labels' | 'annotations'): Readonly<Record<string, string>> {
  const entries = fields.maps(name).flatMap((map) => map.entries);
  return Object.fromEntries(
    entries.map(({ key, value }) => [key, value.kind === 'scalar' ? (value.plain ?? value.text) : '']),
  );
}

function say(
  context: SecretObjectContext,
  subject: string,
  line: number | undefined,
  message: string,
  remedy: string,
): void {
  const finding: Diagnostic = { code: 'config.secretObjects', subject, line, message, remedy };
  if (context.applied) context.findings.error(finding);
  else context.findings.warning(finding);
}
