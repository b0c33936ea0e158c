/**
 * Replaces published values in untrusted text before it may be shown.
 *
 * A hook can print a value that it read, and a reload endpoint can respond with it. Only the end of either is shown, and only
 * after every value was replaced in the forms in which programs print values: unchanged, line by line, field by field of a
 * JSON value, and each of these in base64, in hex, and with any of its characters escaped for a URL, JSON, a string literal,
 * HTML or a shell. A program that prints a value in pieces, or in another encoding, is not covered.
 */

import type { Secret } from '../core/secret.ts';

const PLACEHOLDER = '[secret]';

/** Redacts the text with all values; undefined when there are values that cannot be read any more. */
export function redactAll(
  text: string,
  values: readonly (readonly Secret[] | undefined)[],
): string | undefined {
  const known = values.filter((some) => some !== undefined);
  return known.length < values.length ? undefined : redact(text, known.flat());
}

/** The text with every value, and everything that is part of one, replaced by `[secret]`. */
export function redact(text: string, values: Iterable<Secret>): string {
  // Collects positions instead of building a regular expression, because the error for one that is too large would contain
  // the values.
  const places: Place[] = [];
  for (const value of values) {
    for (const piece of piecesOf(value.reveal())) places.push(...placesOf(piece, text));
  }
  let redacted = '';
  let end = 0;
  for (const place of places.sort((a, b) => a.start - b.start)) {
    if (place.start >= end) redacted += text.slice(end, place.start) + PLACEHOLDER;
    end = Math.max(end, place.end);
  }
  return redacted + text.slice(end);
}

interface Place {
  readonly start: number;
  readonly end: number;
}

/** Characters. A piece that is shorter occurs within words, and is replaced only as a separate word. */
const SHORT = 4;

function* placesOf(piece: string, text: string): Iterable<Place> {
  if (piece.length > LONG) return yield* literalPlaces(piece, text);
  const characters = [...piece];
  for (const start of startsOf(characters[0] ?? '', text)) {
    const end = endOf(characters, text, start);
    if (end === undefined) continue;
    const alone = !isWord(text[start - 1]) && !isWord(text[end]);
    if (piece.length >= SHORT || alone) yield { start, end };
  }
}

/** Characters. In a repetitive text the time to match escapes grows with the square of the length. */
const LONG = 256;

function* literalPlaces(piece: string, text: string): Iterable<Place> {
  const encoded = [piece, JSON.stringify(piece).slice(1, -1)];
  // A lone surrogate, from an escape in a JSON value, cannot be percent-encoded.
  if (piece.isWellFormed()) encoded.push(encodeURIComponent(piece));
  for (const form of encoded) {
    for (let at = text.indexOf(form); at !== -1; at = text.indexOf(form, at + form.length))
      yield { start: at, end: at + form.length };
  }
}

/** Characters that begin an escape. */
const ESCAPES = ['\\', '%', '&', "'"] as const;

function isEscape(character: string | undefined): boolean {
  return character === '+' || (ESCAPES as readonly (string | undefined)[]).includes(character);
}

/** Every index at which the character may begin, unchanged or escaped. */
function* startsOf(character: string, text: string): Iterable<number> {
  for (const first of new Set([character, ...(character === ' ' ? ['+'] : []), ...ESCAPES])) {
    for (let at = text.indexOf(first); at !== -1; at = text.indexOf(first, at + 1)) yield at;
  }
}

/** Where the characters end that begin at `start`, each unchanged or in any escape; undefined if they do not begin there. */
function endOf(characters: readonly string[], text: string, start: number): number | undefined {
  let ends = new Set([start]);
  for (const character of characters) {
    const next = new Set<number>();
    for (const at of ends) {
      if (!isEscape(text[at])) {
        if (text.startsWith(character, at)) next.add(at + character.length);
        continue;
      }
      for (const form of formsOf(character)) {
        // Hexadecimal digits and entity names are written in either case.
        const found = text.slice(at, at + form.length);
        if (found === form || (form.length > 2 && found.toLowerCase() === form)) next.add(at + form.length);
      }
    }
    if (next.size === 0) return undefined;
    ends = next;
  }
  return Math.max(...ends);
}

const NAMED_ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};
const CONTROLS: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

const forms = new Map<string, readonly string[]>();

/** How programs write one character: unchanged, and escaped for a URL, JSON, a string literal, HTML or a shell. Lower case. */
function formsOf(character: string): readonly string[] {
  const known = forms.get(character);
  if (known !== undefined) return known;
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  const bytes = [...new TextEncoder().encode(character)].map((byte) => byte.toString(16).padStart(2, '0'));
  const units = Array.from({ length: character.length }, (_, at) =>
    character.charCodeAt(at).toString(16).padStart(4, '0'),
  );
  const made = [
    character,
    bytes.map((byte) => `%${byte}`).join(''),
    bytes.map((byte) => `\\x${byte}`).join(''),
    units.map((unit) => `\\u${unit}`).join(''),
    `\\u{${hex}}`,
    ...(code < 256 ? [`\\x${hex.padStart(2, '0')}`] : []),
    `&#${code};`,
    `&#0${code};`,
    `&#x${hex};`,
    ...(isWord(character) ? [] : [`\\${character}`]),
    ...(character === ' ' ? ['+'] : []),
    ...(character === "'" ? ["'\\''", `'"'"'`] : []),
    NAMED_ENTITIES[character] ?? character,
    CONTROLS[character] ?? character,
  ];
  if (forms.size < 4096) forms.set(character, made);
  return made;
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}]/u.test(character);
}

function* piecesOf(bytes: Uint8Array): Iterable<string> {
  const text = new TextDecoder().decode(bytes);
  yield* encodings(bytes);
  yield* encodedForms(text);
  // The lines of a JSON value are its syntax; its fields are what can be printed alone.
  for (const part of fieldsOf(text) ?? [text]) {
    yield* encodedForms(part);
    for (const line of part.split('\n')) yield* encodedForms(line.trim());
  }
}

/** A text, and its encodings as a whole; escapes of single characters are matched in the output (`endOf`). */
function* encodedForms(text: string): Iterable<string> {
  if (text === '') return;
  yield text;
  yield* encodings(new TextEncoder().encode(text));
}

function* encodings(bytes: Uint8Array): Iterable<string> {
  if (bytes.length < SHORT) return;
  const base64 = Buffer.from(bytes).toString('base64').replace(/=+$/, '');
  yield base64;
  yield base64.replaceAll('+', '-').replaceAll('/', '_');
  // Within other text, like the password in `user:password` of basic authentication: base64 has three alignments.
  for (const offset of [0, 1, 2]) {
    const aligned = Buffer.concat([new Uint8Array(offset), bytes]).toString('base64');
    const inner = aligned.slice(Math.ceil((offset * 4) / 3), Math.floor(((offset + bytes.length) * 4) / 3));
    if (inner.length < 8) continue;
    yield inner;
    yield inner.replaceAll('+', '-').replaceAll('/', '_');
  }
  const hex = Buffer.from(bytes).toString('hex');
  yield hex;
  yield hex.toUpperCase();
}

/** The strings and numbers inside a JSON object or list, at any depth; undefined for any other text. */
function fieldsOf(text: string): readonly string[] | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  const fields: string[] = [];
  try {
    JSON.parse(text, (_, value: unknown) => {
      if (typeof value === 'string' || typeof value === 'number') fields.push(String(value));
      return value;
    });
    return fields;
  } catch {
    // Not JSON after all. The parser's error is dropped, because it quotes the value.
    return undefined;
  }
}
