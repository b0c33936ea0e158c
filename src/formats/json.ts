/**
 * JSON as Go parses and prints it.
 *
 * The AWS provider is written in Go, and a secret's JSON must give the same files here: invalid UTF-8 becomes U+FFFD, the
 * last of two equal keys counts, a number beyond 64-bit floats is an error, and keys are printed sorted. The text is a
 * secret: no error of the parser leaves this file, because it quotes the text.
 */

import { utf8Text } from './utf8.ts';

/** A JSON value. */
export type JsonValue = null | boolean | number | bigint | string | readonly JsonValue[] | JsonObject;
/** Without a prototype, so that a key such as `constructor` is missing unless the text has it. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Functions on values recurse. Go allows 10,000 levels; a secret rarely has ten. */
const MAX_DEPTH = 1000;

/**
 * The value of a JSON text; undefined if it is not one. Numbers are 64-bit floats, as in Go; with `exact`, integers
 * that a float would change are bigints.
 */
export function parseGoJson(bytes: Uint8Array, integers: 'float' | 'exact' = 'float'): JsonValue | undefined {
  const text = utf8Text(bytes);
  const readValue = integers === 'exact' ? readExactValue : readFloatValue;
  try {
    return depth(text) > MAX_DEPTH ? undefined : (JSON.parse(text, readValue) as JsonValue);
  } catch {
    return undefined;
  }
}

function depth(text: string): number {
  let [open, deepest] = [0, 0];
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[{\]}]/g)) {
    if (token === '[' || token === '{') deepest = Math.max(deepest, ++open);
    else if (token === ']' || token === '}') open--;
  }
  return deepest;
}

function readExactValue(key: string, value: unknown, { source = '' }: { source?: string } = {}): unknown {
  const changed = typeof value === 'number' && !isExact(value);
  return changed && /^-?\d+$/.test(source) ? BigInt(source) : readFloatValue(key, value);
}

/** Whether floats represent all numbers exactly: integers beyond 2^53 would change. */
function isExact(value: JsonValue): boolean {
  if (typeof value === 'number') return !Number.isInteger(value) || Number.isSafeInteger(value);
  if (Array.isArray(value)) return value.every(isExact);
  return !isJsonObject(value) || Object.values(value).every(isExact);
}

function readFloatValue(_key: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError('out of range');
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.assign(Object.create(null), value);
}

/** Whether it is an object, and neither null nor a list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Compact JSON with sorted keys. `escaping: 'html'` is Go's default and the result of `to_string`: `<`, `>` and
 * `&` as `\u003c` and so on. Undefined if JSON cannot represent the value (an infinity, NaN).
 */
export function jsonText(value: unknown, escaping: 'html' | 'none'): string | undefined {
  const parts: string[] = [];
  return print(value, parts) ? escaped(parts.join(''), escaping) : undefined;
}

function print(value: unknown, parts: string[]): boolean {
  if (typeof value === 'number') {
    parts.push(Object.is(value, -0) ? '-0' : String(value));
    return Number.isFinite(value);
  }
  if (typeof value === 'bigint') {
    parts.push(String(value));
    return true;
  }
  if (Array.isArray(value))
    return printAll(
      '[',
      value.map((item) => ['', item]),
      ']',
      parts,
    );
  if (isJsonObject(value)) {
    const sorted = Object.entries(value).sort(([a], [b]) => compareText(a, b));
    return printAll(
      '{',
      sorted.map(([key, item]) => [`${JSON.stringify(key)}:`, item]),
      '}',
      parts,
    );
  }
  parts.push(value === undefined ? 'null' : JSON.stringify(value));
  return typeof value !== 'function';
}

function printAll(
  open: string,
  items: readonly (readonly [string, unknown])[],
  close: string,
  parts: string[],
): boolean {
  parts.push(open);
  const printed = items.every(([prefix, item], index) => {
    parts.push(index === 0 ? prefix : `,${prefix}`);
    return print(item, parts);
  });
  parts.push(close);
  return printed;
}

/**
 * A field as compact JSON with its integers exactly as in the source; undefined if that is not possible. `bytes` is the JSON that
 * contains the field, and `find` locates the field in it.
 *
 * JMESPath has floats only, as the AWS provider does, and beyond 2^53 not every integer is a float. So a field with such a number is
 * searched a second time, in the same JSON parsed with integers of any length. Functions and comparisons do not support those, so
 * that result is used only if it equals the field when it is parsed with floats. Nothing is rounded.
 */
export function exactJson(
  field: JsonValue,
  bytes: Uint8Array,
  find: (json: JsonValue) => JsonValue | undefined,
): string | undefined {
  if (isExact(field)) return jsonText(field, 'none');
  const exact = find(parseGoJson(bytes, 'exact') ?? null);
  if (exact === undefined || !isExact(exact)) return undefined;
  const text = jsonText(exact, 'none') ?? '';
  const reread = parseGoJson(new TextEncoder().encode(text));
  return jsonText(reread, 'none') === jsonText(field, 'none') ? text : undefined;
}

/** Outside of strings these characters do not occur in JSON. */
function escaped(json: string, escaping: 'html' | 'none'): string {
  const characters = escaping === 'html' ? /[<>&\u2028\u2029]/g : /[\u2028\u2029]/g;
  return json.replace(characters, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Order by code points, which is the order of the bytes in UTF-8; JavaScript's own is that of UTF-16. */
export function compareText(a: string, b: string): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (left === right) continue;
    const [leftHigh, rightHigh] = [isSurrogate(left), isSurrogate(right)];
    return leftHigh === rightHigh ? left - right : leftHigh ? 1 : -1;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
