/**
 * Applies faults to requests and responses.
 *
 * Damaged responses contain the original values where possible, because a leak test needs the canary in the garbage,
 * at the place where a careless error message would quote it.
 */

import { AwsError } from './aws-error.ts';
import type { GarbageShape, Harm } from './faults.ts';
import type { HttpResponse, JsonObject, Service } from './service.ts';

const MIB = 1024 * 1024;

/** The fields of responses that contain secrets, by service. */
const valueFields = ['SecretString', 'SecretBinary', 'Value', 'SecretAccessKey', 'Token', 'SessionToken'];

/** The error that the fault returns instead of the service; undefined if the service responds. */
export function harmfulError({ does }: Harm, service: Service): AwsError | undefined {
  switch (does?.kind) {
    case 'throttle':
      return new AwsError(service.throttlingCode, 'Rate exceeded', does.status, retry(does));
    case 'error':
      return new AwsError(does.code, does.message ?? '', does.status);
    case 'server-error':
      return does.status === 503
        ? new AwsError('ServiceUnavailableException', 'Service is unavailable.', 503, retry(does))
        : new AwsError(
            'InternalServiceError',
            'An internal error occurred.',
            does.status ?? 500,
            retry(does),
          );
    default:
      return undefined;
  }
}

function retry({ retryAfter }: { readonly retryAfter?: number }): Readonly<Record<string, string>> {
  return retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
}

/** The ids that the fault withholds from the service. */
export function withheldIds({ does, ids }: Harm): readonly string[] {
  return does?.kind === 'absent' || does?.kind === 'batch-error' ? ids : [];
}

/** The result with the errors that the fault adds to a batch. */
export function withBatchErrors(result: JsonObject, { does, ids }: Harm): JsonObject {
  if (does?.kind !== 'batch-error') return result;
  const added = ids.map((id) => ({ SecretId: id, ErrorCode: does.code, Message: does.message ?? '' }));
  return { ...result, Errors: [...((result.Errors as unknown[] | undefined) ?? []), ...added] };
}

/** The response with the body of the fault. */
export function damaged(response: HttpResponse, { does }: Harm): HttpResponse {
  if (does?.kind === 'garbage') {
    return { ...response, body: garbage(response.body, does.shape, does.bytes ?? 32 * MIB) };
  }
  if (does?.kind !== 'server-error') return response;
  switch (does.body ?? 'error') {
    case 'error':
      return response;
    case 'empty':
      return { ...response, body: '' };
    case 'html': {
      const page = `<html><head><title>${response.status}</title></head><body><h1>${response.status}</h1></body></html>`;
      return { ...response, headers: { ...response.headers, 'content-type': 'text/html' }, body: page };
    }
  }
}

function garbage(body: string, shape: GarbageShape, bytes: number): string {
  switch (shape) {
    case 'not-json':
      return `${firstValue(body)}\n${body}`;
    case 'truncated':
      return body.slice(0, body.length / 2);
    case 'no-value':
      return changed(body, (field, value) => (valueFields.includes(field) ? undefined : value));
    case 'numbers':
      return changed(body, (_, value) => (typeof value === 'string' ? value.length : value));
    case 'huge':
      return changed(body, (field, value) => (valueFields.includes(field) ? 'x'.repeat(bytes) : value));
    case 'null':
      return 'null';
    case 'list':
      return `[${body}]`;
    case 'empty':
      return '';
    default:
      return shape satisfies never;
  }
}

/** The first value in the response, so that the garbage begins with it. */
function firstValue(body: string): string {
  let found = '';
  changed(body, (field, value) => {
    if (found === '' && valueFields.includes(field)) found = String(value);
    return value;
  });
  return found;
}

/** The JSON with each field passed through `change`; undefined leaves the field out. XML is treated by its elements. */
function changed(body: string, change: (field: string, value: unknown) => unknown): string {
  if (body.startsWith('<')) {
    return body.replace(/<(\w+)>([^<]*)<\/\1>/g, (_, field: string, value: string) => {
      const now = change(field, value);
      return now === undefined ? '' : `<${field}>${now}</${field}>`;
    });
  }
  return body.startsWith('{') ? JSON.stringify(JSON.parse(body), change) : body;
}
