/** Answers in AWS's JSON 1.1 protocol. */

import type { AwsError } from './aws-error.ts';
import type { Answer, JsonObject } from './service.ts';

const headers = { 'content-type': 'application/x-amz-json-1.1' } as const;

export function jsonAnswer(result: JsonObject): Answer {
  return { status: 200, headers, body: JSON.stringify(result) };
}

/** The services differ in how they write the name of the field that holds the sentence. */
export function errorAnswer(error: AwsError, messageField: 'message' | 'Message'): Answer {
  const message = error.message === '' ? {} : { [messageField]: error.message };
  return {
    status: error.status,
    headers: { ...headers, ...error.headers },
    body: JSON.stringify({ __type: error.code, ...message }),
  };
}
