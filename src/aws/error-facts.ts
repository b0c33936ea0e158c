/**
 * What an error of the AWS SDK or of Node's network says, without what it drags along.
 *
 * The SDK's errors carry whole responses in hidden fields, and a parser's error quotes the answer it could not read: either
 * may hold a secret. So the facts are copied out one by one, each checked for its form, and the error itself goes no
 * further. AWS's own sentence is kept only where an error of AWS was understood as one.
 */

import { escapeControl } from '../core/text.ts';
import { asObject, numberOf, textOf } from '../core/unknown.ts';
import type { RequestError, RequestPhase } from '../http/request.ts';

/** What kind of failure it is; decides who may help, and whether trying again can. */
export type AwsErrorKind =
  | 'notFound'
  | 'denied'
  /** The credentials have expired, or AWS does not know them (yet). */
  | 'expired'
  /** Static keys that AWS does not know, or whose secret half does not fit. */
  | 'refused'
  /** Any other fault in what was asked. */
  | 'client'
  | 'throttled'
  | 'server'
  | 'network'
  /** Something answered, but not as AWS does. */
  | 'answer';

/** The facts of a failure, each in a form that is fit to print but for `message`. */
export interface AwsErrorFacts {
  readonly kind: AwsErrorKind;
  /** AWS's error code, Node's error code, or `TimeoutError`. */
  readonly code: string | undefined;
  readonly status: number | undefined;
  /** AWS's sentence as it came: print it with `printable`. Undefined unless `code` is AWS's. */
  readonly message: string | undefined;
  readonly requestId: string | undefined;
  /** Milliseconds that the service wants to be left alone. */
  readonly retryAfter: number | undefined;
  /** Where the request went: `host:port`; undefined if nothing was sent. */
  readonly peer?: string | undefined;
  /** How far it came. */
  readonly phase?: RequestPhase | undefined;
}

/** The facts of an error; undefined when it is neither AWS's nor the network's, and so a bug. `now` in ms since 1970. */
export function errorFacts(error: unknown, now: number): AwsErrorFacts | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const metadata = asObject(field(error, '$metadata'));
  const status = numberOf(metadata.httpStatusCode);
  const response = asObject(field(error, '$response'));
  const facts = {
    status,
    requestId: token(metadata.requestId),
    retryAfter: retryAfter(asObject(response.headers), now),
    peer: textOf(response.peer),
  };
  const network = token(field(error, 'code'));
  const name = token(field(error, 'name'));
  if (name === 'TimeoutError' || (network !== undefined && isNetworkCode(network)))
    return { ...facts, ...placeOf(error), kind: 'network', code: network ?? name, message: undefined };
  // HPE_*: the answer is not HTTP. Only an answer has a status or a response.
  if (network?.startsWith('HPE_') || isAnswerCode(network))
    return { ...facts, ...placeOf(error), kind: 'answer', code: network, message: undefined };
  // The SDK knows no endpoint for this region or option; it says so before anything is sent.
  if (name === 'EndpointError') return awsFailure(name, textOf(field(error, 'message')), facts);
  if (field(error, '$fault') !== undefined && name !== undefined && name !== 'Unknown') {
    return awsFailure(name, textOf(field(error, 'message')), facts);
  }
  if (status === undefined && field(error, '$response') === undefined) return undefined;
  const kind = status === 429 ? 'throttled' : status !== undefined && status >= 500 ? 'server' : 'answer';
  return { ...facts, kind, code: undefined, message: undefined };
}

/** ` from HOST:PORT`, for a failure of the network or of what answers there; '' for an answer of AWS. */
export function peerText({ kind, peer }: AwsErrorFacts): string {
  return peer === undefined || (kind !== 'network' && kind !== 'answer') ? '' : ` from ${escapeControl(peer)}`;
}

/**
 * What a failure means when the request was signed with keys that nobody issues again, such as an IAM user's: they do not
 * expire, so that what AWS does not know is a wrong key, and a signature that does not fit a wrong secret key.
 */
export function withStaticKeys(failure: AwsErrorFacts): AwsErrorFacts {
  const code = normalizeCode(failure.code ?? '');
  const unknown = failure.kind === 'expired' && code !== 'ExpiredToken';
  return unknown || isWrongSignature(failure) ? { ...failure, kind: 'refused' } : failure;
}

/** Whether the signature does not fit, which the clock is not to blame for: AWS says that in other sentences. */
export function isWrongSignature({ code, message }: AwsErrorFacts): boolean {
  return (
    /^(InvalidSignature|SignatureDoesNotMatch)/.test(code ?? '') &&
    /calculated does not match/.test(message ?? '')
  );
}

/** A failure that an answer reports inside itself, for one of the values that were asked for. */
export function entryFailure(code: unknown, message: unknown, requestId: unknown): AwsErrorFacts {
  const facts = { status: undefined, requestId: token(requestId), retryAfter: undefined };
  const word = token(code);
  if (word === undefined) return { ...facts, kind: 'answer', code: undefined, message: undefined };
  return awsFailure(word, textOf(message), facts);
}

/** The failure of an answer that lacks what it must hold. */
export function incompleteAnswer(requestId: unknown): AwsErrorFacts {
  return {
    kind: 'answer',
    code: undefined,
    status: undefined,
    message: undefined,
    requestId: token(requestId),
    retryAfter: undefined,
  };
}

/** Codes of our requests for what answers, but not as AWS does. */
function isAnswerCode(code: string | undefined): boolean {
  return code !== undefined && /^ERR_(ANSWER_TOO_LARGE|ANSWER_NOT_UTF8|UPGRADED)$/.test(code);
}

function placeOf(error: object): Pick<AwsErrorFacts, 'peer' | 'phase'> {
  const { peer, phase } = error as Partial<Pick<RequestError, 'peer' | 'phase'>>;
  return typeof peer === 'string' ? { peer, phase } : {};
}

type Facts = Pick<AwsErrorFacts, 'status' | 'requestId' | 'retryAfter' | 'peer'>;

function awsFailure(name: string, message: string | undefined, facts: Facts): AwsErrorFacts {
  return { ...facts, kind: kindOf(name, message ?? '', facts.status), code: name, message };
}

/** The code without what services and protocols do or do not put at its end: `IDPCommunication`, `AccessDenied`. */
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

/** Whether the endpoint lacks the operation, as emulators and gateways of one's own do; each says it in its own way. */
export function isUnknownOperation({ kind, code, status }: AwsErrorFacts): boolean {
  if (code !== undefined && unknownOperations.has(normalizeCode(code))) return true;
  return status === 501 || (kind === 'answer' && (status === 404 || status === 405));
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

/** Errors of the system, of TLS and of proxies. Their texts stay behind: a code says it all. */
function isNetworkCode(code: string): boolean {
  return (
    (/^E[A-Z0-9_]+$/.test(code) && !/^ERR_(?!TLS_|SSL_|PROXY_|SOCKET_|STREAM_PREMATURE_CLOSE)/.test(code)) ||
    isTlsCode(code)
  );
}

/** Whether the other side's certificate, or our trust in it, is at fault. */
export function isTlsCode(code: string | undefined): boolean {
  return (
    code !== undefined &&
    /^(ERR_TLS_|ERR_SSL_|EPROTO$|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|PATH_LENGTH_|HOSTNAME_MISMATCH)/.test(
      code,
    )
  );
}

/** `Retry-After` in seconds or as a date. What cannot be read says nothing. */
function retryAfter(headers: Readonly<Record<string, unknown>>, now: number): number | undefined {
  const text = headers['retry-after'];
  if (typeof text !== 'string' || text.trim() === '') return undefined;
  const wait = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(wait) && wait > 0 ? Math.round(wait) : undefined;
}

/**
 * Milliseconds that a change of IAM needs to be known everywhere, generously: a new policy, role, association or key takes
 * seconds. Far more often it is missing, and nobody should wait a minute for a pod to read that.
 */
export const IAM_SPREADS = 15_000;

/** A code or an id as AWS writes them; anything else in their place is not let through. */
function token(value: unknown): string | undefined {
  return typeof value === 'string' && /^[A-Za-z0-9][\w.:/+=-]{0,127}$/.test(value) ? value : undefined;
}

function field(value: object, name: string): unknown {
  return (value as Record<string, unknown>)[name];
}
