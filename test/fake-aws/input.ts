/**
 * Reads the fields of a request's input as AWS does: a wrong type is a SerializationException, a missing field or a list
 * that is too long a ValidationException in AWS's own words.
 */

import { AwsError } from './aws-error.ts';
import type { JsonObject } from './service.ts';

export function optionalText(input: JsonObject, field: string): string | undefined {
  const value = input[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw wrongType(field, 'a string');
  return value;
}

export function text(input: JsonObject, field: string): string {
  return optionalText(input, field) ?? missing(field);
}

export function optionalNumber(input: JsonObject, field: string): number | undefined {
  const value = input[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number') throw wrongType(field, 'a number');
  return value;
}

export function flag(input: JsonObject, field: string): boolean {
  const value = input[field] ?? false;
  if (typeof value !== 'boolean') throw wrongType(field, 'a boolean');
  return value;
}

export function optionalTexts(input: JsonObject, field: string): readonly string[] | undefined {
  const value = input[field];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'string')) {
    throw wrongType(field, 'a list of strings');
  }
  return value as readonly string[];
}

/** A list of strings that must have 1 to `limit` members. */
export function texts(input: JsonObject, field: string, limit: number): readonly string[] {
  return within(optionalTexts(input, field) ?? missing(field), field, limit);
}

/** The list, if it has 1 to `limit` members. */
export function within(list: readonly string[], field: string, limit: number): readonly string[] {
  if (list.length >= 1 && list.length <= limit) return list;
  const rule = list.length === 0 ? 'greater than or equal to 1' : `less than or equal to ${limit}`;
  throw invalid(`Value '[${list.join(', ')}]' at '${camel(field)}'`, `Member must have length ${rule}`);
}

function missing(field: string): never {
  throw invalid(`Value at '${camel(field)}'`, 'Member must not be null');
}

function invalid(subject: string, rule: string): AwsError {
  return new AwsError(
    'ValidationException',
    `1 validation error detected: ${subject} failed to satisfy constraint: ${rule}`,
  );
}

function wrongType(field: string, expected: string): AwsError {
  return new AwsError('SerializationException', `${field} must be ${expected}`);
}

/** AWS names a field in such sentences with a small first letter. */
function camel(field: string): string {
  return field.slice(0, 1).toLowerCase() + field.slice(1);
}
