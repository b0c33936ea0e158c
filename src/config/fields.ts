/**
 * The named fields of a YAML map, read as text, list or map.
 *
 * Keys in `objects` match without regard to case, and where two spellings of one key meet, the last in the order of
 * bytes counts: that is what the AWS provider's JSON decoder does. Kubernetes' own fields match exactly. A key that
 * nobody knows is a warning with the nearest known name.
 */

import type { ProblemCode } from '../core/problem.ts';
import { didYouMean, quote } from '../core/text.ts';
import type { YamlEntry, YamlList, YamlMap, YamlValue } from '../formats/yaml.ts';
import type { Diagnostics } from './diagnostics.ts';

/** A field's text and its place. */
export interface TextField {
  readonly text: string;
  /** As it stands in the source, when it is not in quotes. */
  readonly plain: string | undefined;
  readonly line: number;
}

/** How keys match, and the code of problems about their values. */
export interface FieldStyle {
  readonly match: 'exact' | 'anyCase';
  readonly code: ProblemCode;
}

/** The fields of one map. */
export class Fields<Name extends string> {
  readonly subject: string;
  readonly line: number;
  readonly #entries: ReadonlyMap<Name, readonly YamlEntry[]>;
  readonly #code: ProblemCode;
  readonly #findings: Diagnostics;

  constructor(
    maps: readonly YamlMap[],
    names: readonly Name[],
    style: FieldStyle,
    subject: string,
    findings: Diagnostics,
  ) {
    this.subject = subject;
    this.#code = style.code;
    this.line = maps[0]?.line ?? 0;
    this.#findings = findings;
    this.#entries = sorted(maps, names, style.match, subject, findings);
  }

  /** The line of a field's key, or that of the map when it has none. */
  lineOf(name: Name): number {
    return this.#entries.get(name)?.at(-1)?.line ?? this.line;
  }

  /** Whether the field is there, and neither null nor empty. */
  has(name: Name): boolean {
    const value = this.#entries.get(name)?.at(-1)?.value;
    return value !== undefined && value.kind !== 'null' && !(value.kind === 'scalar' && value.text === '');
  }

  /** The field as text, with a warning when YAML makes something else of it: `y` becomes "true", 1.10 "1.1". */
  text(name: Name): TextField | undefined {
    const field = this.scalar(name);
    if (field?.plain !== undefined && field.plain !== field.text) {
      this.#findings.warning({
        code: this.#code,
        subject: `${this.subject}.${name}`,
        line: field.line,
        message: `expected text in quotes, got ${quote(field.plain)}, of which YAML makes ${quote(field.text)}`,
        remedy: `Write ${quote(field.plain)} or ${quote(field.text)}, whichever is meant.`,
      });
    }
    return field;
  }

  /** The field as text; numbers and booleans are made text. Undefined when it is absent, null or empty. */
  scalar(name: Name): TextField | undefined {
    let found: TextField | undefined;
    for (const { value, line } of this.#entries.get(name) ?? []) {
      if (value.kind === 'scalar') found = { text: value.text, plain: value.plain, line };
      else if (value.kind !== 'null') this.#refuse(name, 'text', value, line);
    }
    return found?.text === '' ? undefined : found;
  }

  list(name: Name): YamlList | undefined {
    const entry = this.#entries.get(name)?.at(-1);
    if (entry === undefined || entry.value.kind === 'null') return undefined;
    if (entry.value.kind === 'list') return entry.value;
    this.#refuse(name, 'a list', entry.value, entry.line);
    return undefined;
  }

  /** The field as maps: one, or several when the key stands there in several spellings. */
  maps(name: Name): readonly YamlMap[] {
    return (this.#entries.get(name) ?? []).flatMap(({ value, line }) => {
      if (value.kind === 'map') return [value];
      if (value.kind !== 'null') this.#refuse(name, 'a map', value, line);
      return [];
    });
  }

  #refuse(name: Name, expected: string, value: YamlValue, line: number): void {
    this.#findings.error({
      code: this.#code,
      subject: `${this.subject}.${name}`,
      line,
      message: `expected ${expected}, got ${kindText(value)}`,
      remedy: `Write ${name} as ${expected}.`,
    });
  }
}

/** A value as errors name what they found. */
export function kindText(value: YamlValue): string {
  switch (value.kind) {
    case 'null':
      return 'nothing';
    case 'scalar':
      return quote(value.plain ?? value.text);
    case 'list':
      return 'a list';
    case 'map':
      return 'a map';
    default:
      return value satisfies never;
  }
}

function sorted<Name extends string>(
  maps: readonly YamlMap[],
  names: readonly Name[],
  match: FieldStyle['match'],
  subject: string,
  findings: Diagnostics,
): ReadonlyMap<Name, readonly YamlEntry[]> {
  const spelt = (key: string): Name | undefined =>
    // Most keys are written as they are known: folding all names for each map takes a tenth of the time of a large config.
    names.find((known) => known === key) ??
    (match === 'exact' ? undefined : names.find((known) => folded(known) === folded(key)));
  const entries = new Map<Name, YamlEntry[]>();
  for (const entry of maps.flatMap((map) => map.entries)) {
    const name = spelt(entry.key);
    if (name === undefined) {
      unknownKey(entry, names, subject, findings);
      continue;
    }
    const others = entries.get(name);
    if (entry.repeated || others !== undefined) repeatedKey(entry, name, subject, findings);
    if (others === undefined) entries.set(name, [entry]);
    else others.push(entry);
  }
  return entries;
}

/** As Go's JSON decoder folds names: besides the letters' case, the long s and the Kelvin sign count as s and k. */
function folded(key: string): string {
  return key.toLowerCase().replaceAll('ſ', 's');
}

function unknownKey(
  { key, line, value }: YamlEntry,
  names: readonly string[],
  subject: string,
  findings: Diagnostics,
): void {
  const name = names.find((known) => folded(known) === folded(key)) ?? didYouMean(key, names);
  const place = { code: 'config.unknownKey', subject, line } as const;
  const remedy = name === undefined ? 'Remove it: nothing reads it.' : `Write ${quote(name)}, or remove it.`;
  findings.warning({ ...place, message: `expected a known key, got ${quote(key)}`, remedy });
  if (!isRepresentable(value)) {
    const message = `expected a value that JSON can hold under ${quote(key)}, got an infinity or .nan`;
    findings.error({ ...place, message, remedy: 'Put the value in quotes.' });
  }
}

function isRepresentable(value: YamlValue): boolean {
  switch (value.kind) {
    case 'null':
      return true;
    case 'scalar':
      return value.finite;
    case 'list':
      return value.items.every(isRepresentable);
    case 'map':
      return value.entries.every((entry) => isRepresentable(entry.value));
    default:
      return value satisfies never;
  }
}

function repeatedKey({ line }: YamlEntry, name: string, subject: string, findings: Diagnostics): void {
  findings.warning({
    code: 'config.duplicate',
    subject: `${subject}.${name}`,
    line,
    message: 'expected the key once, got it more than once; the last one counts',
    remedy: 'Remove the others.',
  });
}
