/**
 * Extracts the facts of an error of the AWS SDK or of Node's network.
 *
 * The SDK's errors contain whole responses in hidden fields, and a parser's error quotes the text it could not parse: both may
 * contain a secret. So each fact is copied and its form checked, and the error object itself is dropped. AWS's message is kept only
 * if the error was recognized as one of AWS.
 */

import { escapeControl } from '../core/text.ts';
import { asObject, numberOf, textOf } from '../core/unknown.ts';
import type { RequestError, RequestPhase } from '../http/request.ts';
import { isTlsCode } from '../http/tls-code.ts';

/** The kind of a failure, which decides the remedy and whether a retry can help. */
export type AwsErrorKind =
  | 'notFound'
  | 'denied'
  /** The credentials have expired, or AWS does not recognize them (yet). */
  | 'expired'
  /** Static access keys that AWS does not recognize, or with a wrong secret access key. */
  | 'rejected'
  /** Any other fault of the request. */
  | 'client'
  | 'throttled'
  | 'server'
  | 'network'
  /** The response is not from AWS, or is incomplete. */
  | 'response';

/** The facts of a failure. All but `message` are safe to print. */
export interface AwsErrorFacts {
  readonly kind: AwsErrorKind;
  /** AWS's error code, Node's error code, or `TimeoutError`. */
  readonly code: string | undefined;
  /** Of the response; of the proxy, if it rejected the connection. */
  readonly status: number | undefined;
  /** AWS's message, unescaped: print it with `escapeControl`. Undefined unless `code` is AWS's. */
  readonly message: string | undefined;
  readonly requestId: string | undefined;
  /** Milliseconds, from the header Retry-After. */
  readonly retryAfter: number | undefined;
  /** The destination of the request, `host:port`; undefined if nothing was sent. */
  readonly peer: string | undefined;
  /** The phase in which the request failed. */
  readonly phase: RequestPhase | undefined;
}

/** The facts of an error; undefined if it is neither from AWS nor from the network, so a bug. `now`: milliseconds since 1970. */
export function errorFacts(error: unknown, now: number): AwsErrorFacts | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const metadata = asObject(field(error, '$metadata'));
  const status = numberOf(metadata.httpStatusCode);
  const response = asObject(field(error, '$response'));
  const facts = {
    status,
    requestId: identifier(metadata.requestId),
    retryAfter: retryAfter(asObject(response.headers), now),
    peer: textOf(response.peer),
    phase: undefined,
  };
  const network = identifier(field(error, 'code'));
  const name = identifier(field(error, 'name'));
  if (name === 'TimeoutError' || (network !== undefined && isNetworkCode(network)))
    return { ...facts, ...whereFailed(error), kind: 'network', code: network ?? name, message: undefined };
  // HPE_*: the response is not HTTP.
  if (network?.startsWith('HPE_') || isResponseCode(network))
    return { ...facts, ...whereFailed(error), kind: 'response', code: network, message: undefined };
  // The SDK has no endpoint for this region or option; it throws before anything is sent.
  if (name === 'EndpointError') return awsFailure(name, textOf(field(error, 'message')), facts);
  if (field(error, '$fault') !== undefined && name !== undefined && name !== 'Unknown') {
    return awsFailure(name, textOf(field(error, 'message')), facts);
  }
  if (status === undefined && field(error, '$response') === undefined) return undefined;
  const kind = status === 429 ? 'throttled' : status !== undefined && status >= 500 ? 'server' : 'response';
  return { ...facts, kind, code: undefined, message: undefined };
}

/** ` from HOST:PORT`, for a failure of the network, a proxy or another server that responds there; '' for a response of AWS. */
export function peerText({ kind, peer, phase }: AwsErrorFacts): string {
  if (peer === undefined || (kind !== 'network' && kind !== 'response')) return '';
  return ` from ${phase === 'proxy' ? 'the proxy ' : ''}${escapeControl(peer)}`;
}

/**
 * The failure of a request that was signed with static access keys, such as an IAM user's. They do not expire, so a key that AWS
 * does not recognize is wrong, and a signature that does not match means a wrong secret access key.
 */
export function withStaticKeys(failure: AwsErrorFacts): AwsErrorFacts {
  const code = normalizeCode(failure.code ?? '');
  const unknown = failure.kind === 'expired' && code !== 'ExpiredToken';
  return unknown || isWrongSignature(failure) ? { ...failure, kind: 'rejected' } : failure;
}

/** Whether the signature is wrong because of the secret access key. For a wrong clock AWS has other messages. */
export function isWrongSignature({ code, message }: AwsErrorFacts): boolean {
  return (
    /^(InvalidSignature|SignatureDoesNotMatch)/.test(code ?? '') &&
    /calculated does not match/.test(message ?? '')
  );
}

/** A failure that a successful response reports for one of the requested values. */
export function entryFailure(code: unknown, message: unknown, requestId: unknown): AwsErrorFacts {
  const facts = { ...noFacts, requestId: identifier(requestId) };
  const errorCode = identifier(code);
  if (errorCode === undefined) return { ...facts, kind: 'response', code: undefined, message: undefined };
  return awsFailure(errorCode, textOf(message), facts);
}

/** The failure of a response without the fields that it must have. */
export function incompleteResponse(requestId: unknown): AwsErrorFacts {
  return {
    ...noFacts,
    kind: 'response',
    code: undefined,
    message: undefined,
    requestId: identifier(requestId),
  };
}

/** The failure of a response that must not be used, although it is complete. */
export function unusableResponse(
  code: 'ERR_RESPONSE_OTHER_SECRET' | 'ERR_RESPONSE_OTHER_VERSION' | 'ERR_RESPONSE_NOT_UTF8',
  requestId: unknown,
): AwsErrorFacts {
  return { ...incompleteResponse(requestId), code };
}

/**
 * The code or the status, and the request id, which AWS Support needs. `unknown`: the text if there is neither a code nor a
 * status; `place`: follows the code.
 */
export function gotText(failure: AwsErrorFacts, unknown: string, place = ''): string {
  const { kind, code, status, requestId } = failure;
  const statusText = status === undefined ? undefined : `HTTP status ${status}`;
  // ERR_PROXY_TUNNEL is the code for every status of a proxy.
  const proxyStatus =
    kind === 'network' && code !== undefined && statusText !== undefined ? `, ${statusText}` : '';
  const id = requestId === undefined ? '' : `, request id ${requestId}`;
  return `${code ?? statusText ?? unknown}${proxyStatus}${place}${id}`;
}

const noFacts = {
  status: undefined,
  requestId: undefined,
  retryAfter: undefined,
  peer: undefined,
  phase: undefined,
};

/** Codes of `RequestError` for a response that is not from AWS. */
function isResponseCode(code: string | undefined): boolean {
  return code !== undefined && /^ERR_(RESPONSE_(TOO_LARGE|TOO_COMPLEX|NOT_UTF8)|UPGRADED)$/.test(code);
}

function whereFailed(error: object): Partial<Pick<AwsErrorFacts, 'peer' | 'phase' | 'status'>> {
  const { peer, phase, status } = error as Partial<Pick<RequestError, 'peer' | 'phase' | 'status'>>;
  return typeof peer === 'string' ? { peer, phase, status: numberOf(status) } : {};
}

type Facts = Omit<AwsErrorFacts, 'kind' | 'code' | 'message'>;

function awsFailure(name: string, message: string | undefined, facts: Facts): AwsErrorFacts {
  return { ...facts, kind: kindOf(name, message ?? '', facts.status), code: name, message };
}

/** The code without `Exception` and `Error`, which some services and protocols append: `IDPCommunication`, `AccessDenied`. */
export function normalizeCode(name: string): string {
  return name.replace(/Exception$/, '').replace(/Error$/, '');
}

function kindOf(name: string, message: string, status: number | undefined): AwsErrorKind {
  const code = normalizeCode(name);
  if (status === 429 || throttling.has(code)) return 'throttled';
  if (deniedCodes.has(code)) return 'denied';
  if (notFoundCodes.has(code)) return 'notFound';
  if (code === 'InvalidRequest' && /(marked|scheduled) for deletion|deleted/i.test(message))
    return 'notFound';
  if (expiredCodes.has(code)) return 'expired';
  if (serverFaults.has(code) || (status !== undefined && status >= 500)) return 'server';
  return 'client';
}

/** Whether the endpoint does not implement the operation, like some emulators and gateways; each reports it differently. */
export function isUnknownOperation({ kind, code, status }: AwsErrorFacts): boolean {
  if (code !== undefined && unknownOperations.has(normalizeCode(code))) return true;
  if (kind === 'network') return false;
  return status === 501 || (kind === 'response' && (status === 404 || status === 405));
}

const unknownOperations: ReadonlySet<string> = new Set([
  'UnknownOperation',
  'InvalidAction',
  'NotImplemented',
]);

const throttling: ReadonlySet<string> = new Set([
  'Throttling',
  'Throttled',
  'ThrottledRequest',
  'TooManyRequests',
  'RequestThrottled',
  'RequestLimitExceeded',
  'LimitExceeded',
  'SlowDown',
  'PriorRequestNotComplete',
]);

const deniedCodes: ReadonlySet<string> = new Set([
  'AccessDenied',
  'UnauthorizedOperation',
  'NotAuthorized',
  'KMSAccessDenied',
]);

const notFoundCodes: ReadonlySet<string> = new Set([
  'ResourceNotFound',
  'ParameterNotFound',
  'ParameterVersionNotFound',
  'InvalidParameters',
]);

const expiredCodes: ReadonlySet<string> = new Set([
  'ExpiredToken',
  'UnrecognizedClient',
  'InvalidClientTokenId',
  'InvalidAccessKeyId',
]);

const serverFaults: ReadonlySet<string> = new Set([
  'InternalService',
  'InternalServer',
  'InternalFailure',
  'Internal',
  'ServiceUnavailable',
  'RequestTimeout',
]);

/** Errors of the operating system, of TLS and of proxies. Only the code is used, not the text. */
function isNetworkCode(code: string): boolean {
  return (
    (/^E[A-Z0-9_]+$/.test(code) && !/^ERR_(?!TLS_|SSL_|PROXY_|SOCKET_|STREAM_PREMATURE_CLOSE)/.test(code)) ||
    isTlsCode(code)
  );
}

/** `Retry-After` in seconds or as a date; undefined if it has another form. */
function retryAfter(headers: Readonly<Record<string, unknown>>, now: number): number | undefined {
  const text = headers['retry-after'];
  if (typeof text !== 'string' || text.trim() === '') return undefined;
  const delay = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(delay) && delay > 0 ? Math.round(delay) : undefined;
}

/**
 * Milliseconds in which an IAM change is certain to take effect: a new policy, role, association or key takes seconds. Usually the
 * permission is simply missing, and the error should not take a minute to appear.
 */
export const IAM_PROPAGATION = 15_000;

/** The value if it has the form of an AWS error code or request id; anything else is dropped. */
function identifier(value: unknown): string | undefined {
  return typeof value === 'string' && /^[A-Za-z0-9][\w.:/+=-]{0,127}$/.test(value) ? value : undefined;
}

function field(value: object, name: string): unknown {
  return (value as Record<string, unknown>)[name];
}
