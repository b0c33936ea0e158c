/**
 * Parsers of external data (a seed file, a control request): each checks one shape and reports the place of a mistake.
 *
 * An unknown key is an error, so that a typing error in a seed is found at once.
 */

/** Checks a value found at `where` and returns it with its type. */
export type Reader<T> = (value: unknown, where: string) => T;

type Readers = Readonly<Record<string, Reader<unknown>>>;
type Required<R extends Readers> = { readonly [K in keyof R]: ReturnType<R[K]> };
type Optional<R extends Readers> = { readonly [K in keyof R]?: ReturnType<R[K]> };

/** An object with these keys and no others. */
export function object<R extends Readers, O extends Readers>(
  required: R,
  optional: O,
): Reader<Required<R> & Optional<O>> {
  return (value, where) => {
    const given = record((item) => item)(value, where);
    for (const key of Object.keys(required)) {
      if (given[key] === undefined) throw new Error(`${where}.${key}: expected a value, got nothing`);
    }
    const read: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(given)) {
      const reader = required[key] ?? optional[key];
      if (reader === undefined) {
        const known = [...Object.keys(required), ...Object.keys(optional)].join(', ');
        throw new Error(`${where}.${key}: expected one of ${known}`);
      }
      if (item !== undefined) read[key] = reader(item, `${where}.${key}`);
    }
    return read as Required<R> & Optional<O>;
  };
}

/** An object with any keys, all of one kind. */
export function record<T>(item: Reader<T>): Reader<Readonly<Record<string, T>>> {
  return (value, where) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw wrong(value, where, 'an object');
    return Object.fromEntries(
      Object.entries(value).map(([key, inside]) => [key, item(inside, `${where}.${key}`)]),
    );
  };
}

export function list<T>(item: Reader<T>): Reader<readonly T[]> {
  return (value, where) => {
    if (!Array.isArray(value)) throw wrong(value, where, 'a list');
    return value.map((inside, index) => item(inside, `${where}[${index}]`));
  };
}

/** One of these words. */
export function word<const W extends string | number>(...words: readonly W[]): Reader<W> {
  return (value, where) => {
    const found = words.find((one) => one === value);
    if (found === undefined) throw wrong(value, where, words.join(' or '));
    return found;
  };
}

/** An object whose `kind` selects the parser. */
export function byKind<T>(readers: Readonly<Record<string, Reader<T>>>): Reader<T> {
  return (value, where) => {
    const { kind } = record((item) => item)(value, where);
    const reader = readers[String(kind)];
    if (reader === undefined) throw wrong(kind, `${where}.kind`, Object.keys(readers).join(' or '));
    return reader(value, where);
  };
}

export const text: Reader<string> = (value, where) => {
  if (typeof value !== 'string') throw wrong(value, where, 'a string');
  return value;
};

export const number: Reader<number> = (value, where) => {
  if (typeof value !== 'number') throw wrong(value, where, 'a number');
  return value;
};

export const flag: Reader<boolean> = (value, where) => {
  if (typeof value !== 'boolean') throw wrong(value, where, 'true or false');
  return value;
};

/** Any value. */
export const anything: Reader<unknown> = (value) => value;

/** Names the kind of the value, never the value: it may be a secret. */
function wrong(value: unknown, where: string, expected: string): Error {
  const found = value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`;
  return new Error(`${where}: expected ${expected}, got ${found}`);
}
