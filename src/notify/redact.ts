/**
 * Replaces published values in untrusted text before it may be shown.
 *
 * A hook can print a value that it read, and a reload endpoint can respond with it. Only the end of either is shown, and only
 * after every value was replaced in the forms in which programs print values: unchanged, line by line, field by field of a
 * JSON value, and each of these in base64, in hexadecimal or as a list of its bytes, and with any of its characters escaped for
 * a URL, JSON, a string literal, HTML or a shell. A program that prints a value in pieces, or in another encoding, is not
 * covered.
 */

import type { Secret } from '../core/secret.ts';
import { createByteSearch, type TextRange } from './encoded-bytes.ts';
import { endOf, isWord, startsOf } from './escapes.ts';

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
  const places: TextRange[] = [];
  const encodedPlaces = createByteSearch(text);
  for (const value of values) {
    const bytes = value.reveal();
    places.push(...encodedPlaces(bytes));
    for (const piece of piecesOf(bytes))
      places.push(...placesOf(piece, text), ...encodedPlaces(new TextEncoder().encode(piece)));
  }
  let redacted = '';
  let end = 0;
  for (const place of places.sort((a, b) => a.start - b.start)) {
    if (place.start >= end) redacted += text.slice(end, place.start) + PLACEHOLDER;
    end = Math.max(end, place.end);
  }
  return redacted + text.slice(end);
}

/** Characters. A piece that is shorter occurs within words, and is replaced only as a separate word. */
const SHORT = 4;

function* placesOf(piece: string, text: string): Iterable<TextRange> {
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

function* literalPlaces(piece: string, text: string): Iterable<TextRange> {
  const encoded = [piece, JSON.stringify(piece).slice(1, -1)];
  // A lone surrogate, from an escape in a JSON value, cannot be percent-encoded.
  if (piece.isWellFormed()) encoded.push(encodeURIComponent(piece));
  for (const form of encoded) {
    for (let at = text.indexOf(form); at !== -1; at = text.indexOf(form, at + form.length))
      yield { start: at, end: at + form.length };
  }
}

/** The text of the bytes, and each part of it that can be printed alone. */
function* piecesOf(bytes: Uint8Array): Iterable<string> {
  const text = new TextDecoder().decode(bytes);
  const pieces = [text];
  // The lines of a JSON value are its syntax; its fields are what can be printed alone.
  for (const part of fieldsOf(text) ?? [text]) {
    pieces.push(part);
    for (const line of part.split('\n')) pieces.push(line.trim());
  }
  for (const piece of new Set(pieces)) if (piece !== '') yield piece;
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
