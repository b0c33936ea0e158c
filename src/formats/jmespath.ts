/**
 * The expression language of `jmesPath`.
 *
 * The package parses and evaluates. It was chosen because its grammar is that of go-jmespath, the library of the AWS provider: of
 * 80,000 random expressions that go-jmespath rejects, @aws-lambda-powertools/jmespath accepts 0, jmespath 1,866 (among them `user.`
 * and unclosed quotes), @jmespath-community/jmespath 2,041 (`a-b` is a subtraction there). It costs 1 ms and 0.4 MB, once, in
 * configs that use it. The functions are in jmespath-functions.ts. The data is a secret: no error of the package leaves this file.
 */

import {
  ArityError,
  JMESPathError,
  JMESPathTypeError,
  LexerError,
  ParseError,
  search,
  UnknownFunctionError,
} from '@aws-lambda-powertools/jmespath';
import type { JMESPathParsingOptions } from '@aws-lambda-powertools/jmespath/types';
import type { Diagnostic } from '../core/problem.ts';
import { didYouMean, quote } from '../core/text.ts';
import { functionNames, functionTable, isExpression } from './jmespath-functions.ts';
import type { JsonValue } from './json.ts';

/** The result of an expression. */
export type Evaluation =
  | { readonly kind: 'value'; readonly value: JsonValue }
  /** `found` ends the sentence "expected a value, got …", and contains nothing from the data. */
  | { readonly kind: 'none'; readonly found: string };

/** A mistake in an expression; the caller adds the line. */
type ExpressionDiagnostic = Omit<Diagnostic, 'line'>;

/** Applies a valid expression to data. */
export function evaluate(expression: string, data: JsonValue): Evaluation {
  try {
    const value = run(expression, data);
    if (value === undefined || value === null) return { kind: 'none', found: 'nothing or null' };
    // Inherited members of an object are not data, nor is `&expression`.
    if (typeof value === 'function' || isExpression(value)) return { kind: 'none', found: 'no data' };
    return { kind: 'value', value: value as JsonValue };
  } catch (error) {
    return { kind: 'none', found: reason(error) };
  }
}

/** The parser's cost grows faster than the length; real expressions are much shorter. */
const MAX_LENGTH = 10_000;

/** The syntax error of an expression, whatever the data; undefined if it is valid. */
export function expressionError(expression: string): ExpressionDiagnostic | undefined {
  const message = `expected a JMESPath expression, got ${quote(expression)}`;
  if (expression.length > MAX_LENGTH) {
    return { message: `${message}, which is longer than ${MAX_LENGTH} characters`, remedy: 'Shorten it.' };
  }
  const error = parseError(expression);
  return error === undefined
    ? undefined
    : { message: message + placeOf(error), remedy: remedyFor(expression) };
}

/** What the package throws for an expression that it cannot parse. */
function parseError(expression: string): unknown {
  try {
    run(expression, null);
    return undefined;
  } catch (error) {
    const applied = error instanceof JMESPathTypeError || error instanceof ArityError;
    return applied || error instanceof UnknownFunctionError ? undefined : error;
  }
}

function placeOf(error: unknown): string {
  if (error instanceof RangeError) return ', which is nested too deeply';
  if (error instanceof LexerError) return `, which cannot be read from character ${error.lexerPosition} on`;
  if (!(error instanceof ParseError)) return '';
  return error.tokenType === 'eof'
    ? ', which ends too early'
    : `, which cannot be read from character ${error.lexPosition} on`;
}

/** The most common mistakes: the syntax of JSONPath or jq, and a key such as `db-password`, which needs quotes. */
function remedyFor(expression: string): string {
  const [, rest] = /^\$?\.([A-Za-z_].*)$/.exec(expression) ?? [];
  if (rest !== undefined && parseError(rest) === undefined) {
    const syntax = expression.startsWith('$') ? 'JSONPath' : 'jq';
    return `Write path: ${rest}; "${expression.slice(0, -rest.length)}" is the syntax of ${syntax}.`;
  }
  const [key] = /\b[A-Za-z_]\w*(?:-\w+)+/.exec(withoutQuotes(expression)) ?? [];
  return key === undefined
    ? 'Correct the expression (https://jmespath.org).'
    : `Put a key with a hyphen in double quotes: path: '"${key}"'.`;
}

/**
 * A wrong function call in a valid expression; undefined if there is none. The AWS provider's library fails only if it
 * evaluates the call, so a call that is never evaluated is harmless: `name || lower(name)`.
 */
export function callError(expression: string): ExpressionDiagnostic | undefined {
  const calls = [...withoutQuotes(expression).matchAll(/\b([A-Za-z_]\w*)\s*\(/g)];
  const unknown = calls.map(([, name = '']) => name).find((name) => !functionNames.includes(name));
  if (unknown !== undefined) {
    const meant = didYouMean(unknown, functionNames);
    const remedy = meant === undefined ? 'Remove it' : `Write ${quote(meant)}, or remove it`;
    return {
      message: `expected a function of JMESPath, got ${quote(unknown)}, which it does not have`,
      remedy: `${remedy} (https://jmespath.org/specification.html#built-in-functions).`,
    };
  }
  try {
    run(expression, null);
  } catch (error) {
    if (error instanceof ArityError)
      return {
        message: `a function has the wrong number of arguments in ${quote(expression)}`,
        remedy: 'Correct the expression (https://jmespath.org/specification.html#built-in-functions).',
      };
  }
  return undefined;
}

/**
 * The package caches parsed expressions in a plain object, where `constructor` is found although it was never stored. A leading
 * space, which means nothing in the grammar, avoids every inherited name.
 */
function run(expression: string, data: JsonValue): unknown {
  return search(` ${expression}`, data as never, { customFunctions } as unknown as JMESPathParsingOptions);
}

const customFunctions = functionTable();

function reason(error: unknown): string {
  if (error instanceof UnknownFunctionError) return 'a function that JMESPath does not have';
  if (error instanceof ArityError) return 'a function with the wrong number of arguments';
  if (error instanceof JMESPathTypeError) return 'a function applied to a value of the wrong type';
  if (error instanceof JMESPathError) return 'an expression that cannot be applied';
  return 'an expression that cannot be applied to this value';
}

/** The expression with every quoted part replaced by a space. */
function withoutQuotes(expression: string): string {
  return expression.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`/g, ' ');
}
