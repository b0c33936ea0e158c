/**
 * Validates messages from another process: each function returns whether a value has the expected shape.
 *
 * Strict: an object must have exactly the named fields, so nothing else can be passed.
 */

import { asObject, isObject, numberOf } from './unknown.ts';

/** Whether a value has a shape. */
export type Shape<T> = (value: unknown) => value is T;

/** What a shape accepts. */
export type Shaped<S> = S extends Shape<infer T> ? T : never;

/** Text. */
export const text: Shape<string> = (value) => typeof value === 'string';

/** A finite number. */
export const number: Shape<number> = (value): value is number => numberOf(value) !== undefined;

/** `true` or `false`. */
export const flag: Shape<boolean> = (value) => typeof value === 'boolean';

/** One of these texts. */
export function oneOf<const T extends string>(texts: Iterable<T>): Shape<T> {
  const known: ReadonlySet<unknown> = new Set(texts);
  return (value): value is T => known.has(value);
}

/** Left out, or of that shape. */
export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return (value): value is T | undefined => value === undefined || shape(value);
}

/** A list of values of that shape. */
export function list<T>(shape: Shape<T>): Shape<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.every(shape);
}

/** An object with any names, and values of that shape. */
export function record<T>(shape: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return (value): value is Readonly<Record<string, T>> =>
    isObject(value) && Object.values(value).every(shape);
}

/** An object with exactly these fields. */
export function object<F extends Readonly<Record<string, Shape<unknown>>>>(
  fields: F,
): Shape<{ readonly [Name in keyof F]: Shaped<F[Name]> }> {
  return (value): value is { readonly [Name in keyof F]: Shaped<F[Name]> } =>
    isObject(value) &&
    Object.keys(value).every((name) => Object.hasOwn(fields, name)) &&
    Object.entries(fields).every(([name, shape]) => shape(value[name]));
}

/** The kinds of messages of a process: the shape of the other fields, for each `kind`. */
type MessageKinds = Readonly<Record<string, Shape<object>>>;

/** A message of one of the kinds. */
export type MessageIn<Kinds extends MessageKinds> = {
  [Kind in keyof Kinds]: { readonly kind: Kind } & Shaped<Kinds[Kind]>;
}[keyof Kinds];

/** Checks a message that arrived; throws an Error that names the kind if it does not match the table. */
export function checkMessage<Kinds extends MessageKinds>(kinds: Kinds, value: unknown): MessageIn<Kinds> {
  const { kind, ...content } = asObject(value);
  const shape = typeof kind === 'string' && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (shape === undefined) throw new Error('a message of an unknown kind');
  if (!shape(content)) throw new Error(`a message of kind ${kind} with other fields`);
  return value as MessageIn<Kinds>;
}
