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
import { endOf, isWord, type MatchBudget, startsOf } from './escapes.ts';

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
  const budget: MatchBudget = { left: MAX_MATCHES };
  const encodedPlaces = createByteSearch(text);
  for (const value of values) {
    const bytes = value.reveal();
    places.push(...encodedPlaces(bytes));
    for (const piece of piecesOf(bytes))
      places.push(...placesOf(piece, text, budget), ...encodedPlaces(new TextEncoder().encode(piece)));
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

/** Characters. Places of a longer piece that overlap are not searched for, because that takes too long in a repetitive text. */
const LONG = 256;

function* placesOf(piece: string, text: string, budget: MatchBudget): Iterable<TextRange> {
  const characters = [...piece];
  let last: TextRange = { start: 0, end: 0 };
  for (const start of startsOf(characters[0] ?? '', text)) {
    // In a repetitive text each character in a place is the start of another one.
    if (piece.length > LONG && start > last.start && start < last.end) continue;
    const end = endOf(characters, text, start, budget);
    if (budget.left < 0) return yield { start: 0, end: text.length };
    if (end === undefined) continue;
    const alone = !isWord(text[start - 1]) && !isWord(text[end]);
    if (piece.length < SHORT && !alone) continue;
    last = { start, end };
    yield last;
  }
}

/**
 * Characters that are matched beyond the first ones of a piece. Only a text with thousands of long parts that are nearly a value
 * needs more, which would take minutes: the whole text is then replaced.
 */
const MAX_MATCHES = 10_000_000;

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
