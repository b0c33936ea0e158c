/**
 * Integers that a 64-bit float would change, written as they stand.
 *
 * The language of `jmesPath` knows floats only, as the AWS provider does, and beyond 2^53 not every integer is one. So a
 * field with such a number is found a second time, in the same JSON read with integers of any length. Functions and
 * comparisons do not take those: what is found so counts only if, read as floats, it is the field. Nothing is rounded.
 */

import { isExact, type JsonValue, jsonText, parseJson } from './json.ts';

/**
 * A field as compact JSON; undefined when its numbers cannot be had exactly. `bytes` are the JSON that it is a field of, and
 * `find` finds it there.
 */
export function exactJson(
  field: JsonValue,
  bytes: Uint8Array,
  find: (json: JsonValue) => JsonValue | undefined,
): string | undefined {
  if (isExact(field)) return jsonText(field, 'none');
  const exact = find(parseJson(bytes, 'exact') ?? null);
  if (exact === undefined || !isExact(exact)) return undefined;
  const text = jsonText(exact, 'none') ?? '';
  const reread = parseJson(new TextEncoder().encode(text));
  return jsonText(reread, 'none') === jsonText(field, 'none') ? text : undefined;
}
