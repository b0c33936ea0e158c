/**
 * Finds bytes that a program printed in base64, in hexadecimal or as a list of numbers, in one line or several.
 */

/** A part of a text, by its indexes. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** A text without the separators of the digits, and the original position of each of its characters. */
interface Condensed {
  readonly text: string;
  readonly positions: Uint32Array;
}

/** The minimum number of bytes to search for: fewer occur by chance. */
const FEWEST = 4;

/** The minimum number of base64 characters that depend only on the bytes: fewer occur by chance. */
const FEWEST_BASE64 = 8;

/** A function that finds every place of the given bytes in the text. */
export function createByteSearch(text: string): (bytes: Uint8Array) => Iterable<TextRange> {
  // In JSON a line feed is escaped.
  const base64 = condense(text.replaceAll('-', '+').replaceAll('_', '/'), /(?:\r?\n|(?:\\r)?\\n)[ \t]*/g, '');
  // Not after a hexadecimal digit: `a0x` ends with the digits a0, and is no prefix.
  const hex = condense(text.toLowerCase(), /(?<![\da-f])0x|\\x|[\s:,-]/g, '');
  const decimal = condense(text, /[\s,]+/g, ',');
  return function* (bytes) {
    if (bytes.length < FEWEST) return;
    for (const form of base64Forms(bytes)) {
      for (const place of find(form, base64)) yield wholeWord(place, text);
    }
    yield* find(Buffer.from(bytes).toString('hex'), hex);
    yield* find(bytes.join(), decimal);
    // Java's bytes are signed.
    yield* find(new Int8Array(bytes).join(), decimal);
  };
}

/** The text with every match of the pattern replaced; `by`: at most one character. */
function condense(text: string, separator: RegExp, by: string): Condensed {
  const positions = new Uint32Array(text.length);
  const parts: string[] = [];
  let length = 0;
  let start = 0;
  const take = (from: number, to: number): void => {
    parts.push(text.slice(from, to));
    for (let at = from; at < to; at++) positions[length++] = at;
  };
  for (const { 0: match, index } of text.matchAll(separator)) {
    take(start, index);
    if (by !== '') {
      parts.push(by);
      positions[length++] = index;
    }
    start = index + match.length;
  }
  take(start, text.length);
  return { text: parts.join(''), positions };
}

function* find(form: string, { text, positions }: Condensed): Iterable<TextRange> {
  for (let at = text.indexOf(form); at !== -1; at = text.indexOf(form, at + form.length))
    yield { start: positions[at] ?? 0, end: (positions[at + form.length - 1] ?? 0) + 1 };
}

/**
 * Alone, and within other text, like the password in `user:password` of basic authentication: base64 has three alignments.
 */
function* base64Forms(bytes: Uint8Array): Iterable<string> {
  yield Buffer.from(bytes).toString('base64').replace(/=+$/, '');
  for (const offset of [1, 2, 0]) {
    const aligned = Buffer.concat([new Uint8Array(offset), bytes]).toString('base64');
    const inner = aligned.slice(Math.ceil((offset * 4) / 3), Math.floor(((offset + bytes.length) * 4) / 3));
    if (inner.length >= FEWEST_BASE64) yield inner;
  }
}

/** The whole base64 text around the place: the characters next to it depend partly on the bytes. */
function wholeWord({ start, end }: TextRange, text: string): TextRange {
  let [first, last] = [start, end];
  while (first > 0 && /[\w+/-]/.test(text[first - 1] ?? '')) first--;
  while (last < text.length && /[\w+/=-]/.test(text[last] ?? '')) last++;
  return { start: first, end: last };
}
