/**
 * Takes published values out of foreign text before it may be shown.
 *
 * A hook can print what it was given, and a reload endpoint can answer with it. Of either only the end is shown, and only
 * after every value has been replaced, in the forms in which values are printed: as it is, line by line, field by field of
 * a JSON value, and each of these as JSON text, percent-encoded, in base64 and in hex. A program that prints a value in
 * pieces, or encoded in a way of its own, is beyond this.
 */

import type { Secret } from '../core/secret.ts';

const PLACEHOLDER = '[secret]';

/** The text with every value, and everything that is part of one, replaced by `[secret]`. */
export function redact(text: string, values: Iterable<Secret>): string {
  // By places and not by a pattern: the error about a pattern that is too large would hold the values.
  const places: Place[] = [];
  for (const value of values) {
    for (const piece of piecesOf(value.reveal())) places.push(...placesOf(piece, text));
  }
  let scrubbed = '';
  let end = 0;
  for (const place of places.sort((a, b) => a.start - b.start)) {
    if (place.start >= end) scrubbed += text.slice(end, place.start) + PLACEHOLDER;
    end = Math.max(end, place.end);
  }
  return scrubbed + text.slice(end);
}

interface Place {
  readonly start: number;
  readonly end: number;
}

/** Characters. A piece that is shorter occurs within words, and is replaced only where it stands alone. */
const SHORT = 4;

function* placesOf(piece: string, text: string): Iterable<Place> {
  for (let at = text.indexOf(piece); at !== -1; ) {
    const end = at + piece.length;
    const alone = !isWord(text[at - 1]) && !isWord(text[end]);
    if (piece.length >= SHORT || alone) yield { start: at, end };
    at = text.indexOf(piece, end);
  }
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}]/u.test(character);
}

function* piecesOf(bytes: Uint8Array): Iterable<string> {
  const text = new TextDecoder().decode(bytes);
  yield* encodings(bytes);
  yield* writings(text);
  // The lines of a JSON value are its syntax; its fields are what can be printed alone.
  for (const part of fieldsOf(text) ?? [text]) {
    yield* writings(part);
    for (const line of part.split('\n')) yield* writings(line.trim());
  }
}

/** A text as it is, and as programs write it inside other texts. */
function* writings(text: string): Iterable<string> {
  if (text === '') return;
  yield text;
  yield JSON.stringify(text).slice(1, -1);
  // A lone surrogate, from an escape in a JSON value, can be neither percent-encoded nor printed.
  if (text.isWellFormed()) yield encodeURIComponent(text);
  yield* encodings(new TextEncoder().encode(text));
}

function* encodings(bytes: Uint8Array): Iterable<string> {
  if (bytes.length < SHORT) return;
  const base64 = Buffer.from(bytes).toString('base64').replace(/=+$/, '');
  yield base64;
  yield base64.replaceAll('+', '-').replaceAll('/', '_');
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
    // Not JSON after all. The parser's error would quote the value, so nobody hears of it.
    return undefined;
  }
}
