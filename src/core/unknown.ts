/**
 * What an API server, or whatever answers in its place, has said: looked into without trusting its shape.
 */

/** The value as an object with fields of any kind; an empty one when it is none. */
export function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** The value as a list; an empty one when it is none. */
export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
