/**
 * AWS's JSON 1.1 protocol: an object in, an object out, errors by their `__type`.
 *
 * Secrets Manager and Parameter Store use it; the header X-Amz-Target names the operation.
 */

import type { AwsError } from './aws-error.ts';
import type { HttpResponse, JsonObject } from './service.ts';

const headers = { 'content-type': 'application/x-amz-json-1.1' } as const;

export function jsonResponse(result: JsonObject): HttpResponse {
  return { status: 200, headers, body: JSON.stringify(result) };
}

/** The services differ in the name of the message field. */
export function errorResponse(error: AwsError, messageField: 'message' | 'Message'): HttpResponse {
  const message = error.message === '' ? {} : { [messageField]: error.message };
  return {
    status: error.status,
    headers: { ...headers, ...error.headers },
    body: JSON.stringify({ __type: error.code, ...message }),
  };
}

/** The body that a client sends to a JSON service, or undefined when it is no JSON object. */
export function jsonInput(body: Buffer): JsonObject | undefined {
  try {
    const input: unknown = JSON.parse(body.toString('utf8') || '{}');
    return typeof input === 'object' && input !== null && !Array.isArray(input)
      ? (input as JsonObject)
      : undefined;
  } catch {
    return undefined;
  }
}
