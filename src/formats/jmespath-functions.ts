/**
 * The JMESPath functions, with the behaviour of the AWS provider's library.
 *
 * The parser and evaluator come from a package, but its functions give other results (`not_null` and `map` lose `0`, `false` and
 * `''`, `sort` uses the locale, `sort` and `reverse` change the data). So the functions are written here. None changes its
 * arguments. No error contains part of a value.
 */

import { ArityError, JMESPathTypeError } from '@aws-lambda-powertools/jmespath';
import { compareText, isJsonObject, jsonText } from './json.ts';

type Type = 'number' | 'string' | 'array' | 'object' | 'numbers' | 'strings' | 'expression' | 'any';

interface Signature {
  /** The types each argument may have. */
  readonly takes: readonly (readonly Type[])[];
  /** Whether the last argument may be repeated. */
  readonly variadic?: true;
  // biome-ignore lint/suspicious/noExplicitAny: `takes` has checked the arguments; no type can say so.
  readonly apply: (...args: any[]) => unknown;
}

const functions: Readonly<Record<string, Signature>> = {
  abs: { takes: [['number']], apply: Math.abs },
  avg: { takes: [['numbers']], apply: (numbers: number[]) => sum(numbers) / numbers.length },
  ceil: { takes: [['number']], apply: Math.ceil },
  contains: {
    takes: [['array', 'string'], ['any']],
    apply: (within: string | unknown[], wanted: unknown) =>
      typeof within === 'string'
        ? typeof wanted === 'string' && within.includes(wanted)
        : within.includes(wanted),
  },
  ends_with: { takes: [['string'], ['string']], apply: (text: string, end: string) => text.endsWith(end) },
  floor: { takes: [['number']], apply: Math.floor },
  join: { takes: [['string'], ['strings']], apply: (glue: string, texts: string[]) => texts.join(glue) },
  keys: { takes: [['object']], apply: Object.keys },
  length: {
    takes: [['string', 'array', 'object']],
    apply: (value: string | unknown[] | object) =>
      typeof value === 'string' ? [...value].length : Object.keys(value).length,
  },
  map: {
    takes: [['expression'], ['array']],
    apply: (expression: Expression, items: unknown[]) => items.map((item) => expression.visit(item) ?? null),
  },
  max: { takes: [['numbers', 'strings']], apply: (items: Key[]) => best(items, (item) => item, 1) },
  max_by: { takes: [['array'], ['expression']], apply: (items, by: Expression) => best(items, keyed(by), 1) },
  merge: {
    takes: [['object']],
    variadic: true,
    apply: (...objects) => Object.assign(Object.create(null), ...objects),
  },
  min: { takes: [['numbers', 'strings']], apply: (items: Key[]) => best(items, (item) => item, -1) },
  min_by: {
    takes: [['array'], ['expression']],
    apply: (items, by: Expression) => best(items, keyed(by), -1),
  },
  not_null: {
    takes: [['any']],
    variadic: true,
    apply: (...values) => values.find((value) => value != null) ?? null,
  },
  reverse: {
    takes: [['string', 'array']],
    apply: (value: string | unknown[]) =>
      typeof value === 'string' ? [...value].reverse().join('') : value.toReversed(),
  },
  sort: { takes: [['numbers', 'strings']], apply: (items: Key[]) => items.toSorted(compare) },
  sort_by: { takes: [['array'], ['expression']], apply: sortBy },
  starts_with: {
    takes: [['string'], ['string']],
    apply: (text: string, start: string) => text.startsWith(start),
  },
  sum: { takes: [['numbers']], apply: sum },
  to_array: { takes: [['any']], apply: (value) => (Array.isArray(value) ? value : [value]) },
  to_number: { takes: [['any']], apply: toNumber },
  to_string: {
    takes: [['any']],
    apply: (value) => (typeof value === 'string' ? value : (jsonText(value, 'html') ?? mistyped())),
  },
  type: { takes: [['any']], apply: typeOf },
  values: { takes: [['object']], apply: Object.values },
};

/** The names of all functions. */
export const functionNames: readonly string[] = Object.keys(functions);

/** `&expression` as an argument. */
interface Expression {
  visit(value: unknown): unknown;
}

/** A sort key. Only keys of one type can be compared. */
type Key = number | string;

/** The functions in the form that the package looks them up: `to_string` as `funcToString`, with a list of arguments. */
export function functionTable(): object {
  const methods = new Set<string>();
  const table: Record<string, unknown> = { methods, introspectMethods: () => methods };
  for (const [name, signature] of Object.entries(functions)) {
    const method = `func_${name}`.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    methods.add(method);
    table[method] = (args: readonly unknown[]) => call(signature, args);
  }
  return table;
}

function call({ takes, variadic, apply }: Signature, args: readonly unknown[]): unknown {
  if (variadic ? args.length < takes.length : args.length !== takes.length) {
    throw new ArityError({ expectedArity: takes.length, actualArity: args.length });
  }
  for (const [index, value] of args.entries()) {
    const types = takes[Math.min(index, takes.length - 1)] ?? [];
    if (!types.some((type) => fits(value ?? null, type))) mistyped();
  }
  return apply(...args.map((value) => value ?? null));
}

function fits(value: unknown, type: Type): boolean {
  switch (type) {
    case 'any':
      return true;
    case 'number':
    case 'string':
      return typeof value === type;
    case 'array':
      return Array.isArray(value);
    case 'numbers':
      return Array.isArray(value) && value.every((item) => typeof item === 'number');
    case 'strings':
      return Array.isArray(value) && value.every((item) => typeof item === 'string');
    case 'object':
      return isJsonObject(value) && !isExpression(value);
    case 'expression':
      return isExpression(value);
    default:
      return type satisfies never;
  }
}

/** JSON data contains no functions, so nothing in it is mistaken for an expression. */
export function isExpression(value: unknown): value is Expression {
  return isJsonObject(value) && typeof (value as { visit?: unknown }).visit === 'function';
}

/** The package's own error, because the package swallows any other. It does not contain the value, which is secret. */
function mistyped(): never {
  throw new JMESPathTypeError({ currentValue: null, expectedTypes: [], actualType: '' });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

function compare(a: Key, b: Key): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : compareText(String(a), String(b));
}

/** The first of the greatest (direction 1) or least (-1). The key of a single item is not computed. */
function best<T>(items: readonly T[], keyOf: (item: T) => Key, direction: 1 | -1): T | null {
  const [first, ...others] = items;
  if (first === undefined || others.length === 0) return first ?? null;
  let found: T = first;
  let foundKey = keyOf(first);
  for (const item of others) {
    const key = keyOf(item);
    if (typeof key !== typeof foundKey) mistyped();
    if (compare(key, foundKey) * direction > 0) [found, foundKey] = [item, key];
  }
  return found;
}

function sortBy(items: readonly unknown[], by: Expression): readonly unknown[] {
  if (items.length < 2) return items;
  const keyOf = keyed(by);
  const pairs = items.map((item) => ({ item, key: keyOf(item) }));
  if (pairs.some(({ key }) => typeof key !== typeof pairs[0]?.key)) mistyped();
  return pairs.sort((a, b) => compare(a.key, b.key)).map(({ item }) => item);
}

function keyed(by: Expression): (item: unknown) => Key {
  return (item) => {
    const key = by.visit(item);
    return typeof key === 'number' || typeof key === 'string' ? key : mistyped();
  };
}

/** Parses a number like Go: underscores between digits, but no hexadecimal without an exponent, no spaces, no ''. */
function toNumber(value: unknown): number | null {
  if (typeof value === 'number') return value;
  const decimal = /^[-+]?(\d+(_\d+)*\.?(\d+(_\d+)*)?|\.\d+(_\d+)*)([eE][-+]?\d+(_\d+)*)?$/;
  if (typeof value !== 'string' || !decimal.test(value)) return null;
  const number = Number(value.replaceAll('_', ''));
  return Number.isFinite(number) ? number : null;
}

function typeOf(value: unknown): string {
  if (isExpression(value)) mistyped();
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
}
