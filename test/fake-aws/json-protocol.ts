/**
 * AWS's JSON 1.1 protocol: an object in, an object out, errors by their `__type`.
 *
 * Secrets Manager and Parameter Store speak it; the operation comes in the header X-Amz-Target.
 */

import type { AwsError } from './aws-error.ts';
import type { Answer, JsonObject } from './service.ts';

const headers = { 'content-type': 'application/x-amz-json-1.1' } as const;

export function jsonAnswer(result: JsonObject): Answer {
  return { status: 200, headers, body: JSON.stringify(result) };
}

/** The services differ in the name of the message field. */
export function errorAnswer(error: AwsError, messageField: 'message' | 'Message'): Answer {
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
