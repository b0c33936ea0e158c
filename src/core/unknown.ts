/**
 * Reads values of unknown shape: an API response, a manifest, an error of a library.
 *
 * Each function returns the value if it has the expected type, else an empty or undefined one. None throws.
 */

/**
 * The text as JSON; undefined if it is not JSON. The parser's error is dropped, because it quotes the text, which may
 * contain a secret value or a key.
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A JSON object: neither a list nor a scalar. */
export type UnknownObject = Readonly<Record<string, unknown>>;

/** Whether the value is an object: neither a list nor a scalar. */
export function isObject(value: unknown): value is UnknownObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value as an object with fields of any kind; an empty one if it is not an object. */
export function asObject(value: unknown): UnknownObject {
  return isObject(value) ? value : {};
}

/** The value as a list; an empty one if it is not a list. */
export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The objects of a list; empty if the value is not a list. */
export function asObjects(value: unknown): readonly UnknownObject[] {
  return asList(value).filter(isObject);
}

/** The value if it is text. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The value if it is a finite number. */
export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** The value at the end of a path of keys; undefined if a step is missing. */
export function valueAt(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => (isObject(inner) ? inner[key] : undefined), value);
}
