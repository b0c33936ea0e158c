/**
 * Keeps integers exactly as the JSON has them, also those that a 64-bit float would change.
 *
 * JMESPath has floats only, as the AWS provider does, and beyond 2^53 not every integer is a float. So a field with such a
 * number is searched a second time, in the same JSON parsed with integers of any length. Functions and comparisons do not
 * support those, so that result is used only if it equals the field when it is parsed with floats. Nothing is rounded.
 */

import { isExact, type JsonValue, jsonText, parseJson } from './json.ts';

/**
 * A field as compact JSON; undefined if its numbers cannot be written exactly. `bytes` is the JSON that contains it, and
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
