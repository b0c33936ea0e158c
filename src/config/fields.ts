/**
 * The named fields of a YAML map, read as text, list or map.
 *
 * Keys in `objects` match case-insensitively. If a key is written in two spellings, the last one in byte order is used, as
 * in the JSON decoder of the AWS provider. Kubernetes' own fields match exactly. An unknown key is a warning that suggests
 * the nearest known name.
 */

import type { ProblemCode } from '../core/problem.ts';
import { didYouMean, quote } from '../core/text.ts';
import type { YamlEntry, YamlList, YamlMap, YamlValue } from '../formats/yaml-values.ts';
import type { Diagnostics } from './diagnostics.ts';

/** A field's text and its place. */
export interface TextField {
  readonly text: string;
  /** The source text, if it has no quotes. */
  readonly plain: string | undefined;
  readonly line: number;
}

/** How keys match, and the code of problems with their values. */
export interface FieldStyle {
  readonly match: 'exact' | 'anyCase';
  readonly code: ProblemCode;
  /** Where an unknown key belongs, such as `spec.parameters`; undefined if nowhere. */
  readonly placeOf?: (key: string) => string | undefined;
}

/** The fields of one map. */
export class Fields<Name extends string> {
  readonly subject: string;
  /** The line of the map. */
  readonly line: number;
  readonly #entries: ReadonlyMap<string, readonly YamlEntry[]>;
  readonly #code: ProblemCode;
  readonly #diagnostics: Diagnostics;

  /** `maps` are several if the key of the map is written in several spellings. */
  constructor(
    maps: readonly YamlMap[],
    names: readonly Name[],
    style: FieldStyle,
    subject: string,
    diagnostics: Diagnostics,
  ) {
    this.subject = subject;
    this.#code = style.code;
    this.line = maps[0]?.line ?? 0;
    this.#diagnostics = diagnostics;
    this.#entries = entriesByName(maps, names, style, subject, diagnostics);
  }

  /** The line of a field's key, or that of the map if the key is missing. */
  lineOf(name: Name): number {
    return this.#entries.get(name)?.at(-1)?.line ?? this.line;
  }

  /** Reports an error of a field, at its line; undefined for the map itself. */
  error(name: Name | undefined, message: string, remedy: string): void {
    this.#diagnostics.error(this.#code, this.#subjectOf(name), {
      line: this.#lineFor(name),
      message,
      remedy,
    });
  }

  /** Reports a warning about a field, at its line; undefined for the map itself. */
  warning(name: Name | undefined, message: string, remedy: string): void {
    this.#diagnostics.warning(this.#code, this.#subjectOf(name), {
      line: this.#lineFor(name),
      message,
      remedy,
    });
  }

  /** Whether the field exists, and is neither null nor empty. */
  has(name: Name): boolean {
    const value = this.#entries.get(name)?.at(-1)?.value;
    return value !== undefined && value.kind !== 'null' && !(value.kind === 'scalar' && value.text === '');
  }

  /** The field as text, with a warning if YAML changes it: `y` becomes "true", 1.10 "1.1". */
  text(name: Name): TextField | undefined {
    const field = this.scalar(name);
    if (field?.plain !== undefined && field.plain !== field.text) {
      const message = `expected text in quotes, got ${quote(field.plain)}, which YAML reads as ${quote(field.text)}`;
      this.warning(name, message, `Write ${quote(field.plain)} or ${quote(field.text)}, whichever is meant.`);
    }
    return field;
  }

  /** The field as text; numbers and booleans become text. Undefined if it is missing, null or empty. */
  scalar(name: Name): TextField | undefined {
    let last: TextField | undefined;
    for (const { value, line } of this.#entries.get(name) ?? []) {
      if (value.kind === 'scalar') last = { text: value.text, plain: value.plain, line };
      else if (value.kind !== 'null') this.#wrongKind(name, 'text', value, line);
    }
    return last?.text === '' ? undefined : last;
  }

  list(name: Name): YamlList | undefined {
    const entry = this.#entries.get(name)?.at(-1);
    if (entry === undefined || entry.value.kind === 'null') return undefined;
    if (entry.value.kind === 'list') return entry.value;
    this.#wrongKind(name, 'a list', entry.value, entry.line);
    return undefined;
  }

  /** The field as maps: several if the key is written in several spellings. */
  maps(name: Name): readonly YamlMap[] {
    return (this.#entries.get(name) ?? []).flatMap(({ value, line }) => {
      if (value.kind === 'map') return [value];
      if (value.kind !== 'null') this.#wrongKind(name, 'a map', value, line);
      return [];
    });
  }

  #wrongKind(name: Name, expected: string, value: YamlValue, line: number): void {
    const message = `expected ${expected}, got ${kindText(value)}`;
    const remedy = `Write ${name} as ${expected}.`;
    this.#diagnostics.error(this.#code, this.#subjectOf(name), { line, message, remedy });
  }

  #subjectOf(name: Name | undefined): string {
    return name === undefined ? this.subject : `${this.subject}.${name}`;
  }

  #lineFor(name: Name | undefined): number {
    return name === undefined ? this.line : this.lineOf(name);
  }
}

/** A value as messages name it. */
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

function entriesByName(
  maps: readonly YamlMap[],
  names: readonly string[],
  { match, placeOf }: FieldStyle,
  subject: string,
  diagnostics: Diagnostics,
): ReadonlyMap<string, readonly YamlEntry[]> {
  const knownName = (key: string): string | undefined =>
    // Most keys equal a name exactly, and folding all names for each map takes a tenth of the time of a large config.
    names.find((name) => name === key) ??
    (match === 'exact' ? undefined : names.find((name) => folded(name) === folded(key)));
  const entries = new Map<string, YamlEntry[]>();
  for (const entry of maps.flatMap((map) => map.entries)) {
    const name = knownName(entry.key);
    if (name === undefined) {
      reportUnknownKey(entry, names, placeOf?.(entry.key), subject, diagnostics);
      continue;
    }
    const others = entries.get(name);
    if (entry.repeated || others !== undefined) reportRepeatedKey(entry, name, subject, diagnostics);
    if (others === undefined) entries.set(name, [entry]);
    else others.push(entry);
  }
  return entries;
}

/** Like Go's JSON decoder: besides the case of letters, the long s and the Kelvin sign equal s and k. */
function folded(key: string): string {
  return key.toLowerCase().replaceAll('ſ', 's');
}

function reportUnknownKey(
  { key, line, value }: YamlEntry,
  names: readonly string[],
  place: string | undefined,
  subject: string,
  diagnostics: Diagnostics,
): void {
  const remedy = unknownKeyRemedy(key, names, place);
  const message = `expected a known key, got ${quote(key)}`;
  diagnostics.warning('config.unknownKey', subject, { line, message, remedy });
  if (!isRepresentable(value)) {
    // The AWS provider converts all of the YAML to JSON first, and fails there.
    const message = `expected a value that JSON can represent under ${quote(key)}, got an infinity or .nan`;
    diagnostics.error('config.unknownKey', subject, { line, message, remedy: 'Put the value in quotes.' });
  }
}

/** For a key that is ignored. `names`: the keys that have a meaning here; `place`: where this one has a meaning. */
export function unknownKeyRemedy(key: string, names: readonly string[], place: string | undefined): string {
  if (place !== undefined) return `Move it to ${place}: here it is ignored.`;
  const name = names.find((known) => folded(known) === folded(key)) ?? didYouMean(key, names);
  return name === undefined ? 'Remove it: it is ignored.' : `Write ${quote(name)}, or remove it.`;
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

function reportRepeatedKey(
  { line }: YamlEntry,
  name: string,
  subject: string,
  diagnostics: Diagnostics,
): void {
  diagnostics.warning('config.duplicate', `${subject}.${name}`, {
    line,
    message: 'the key is repeated; the last one is used',
    remedy: 'Remove the others.',
  });
}
