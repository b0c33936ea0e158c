/**
 * AWS Signature Version 4, computed from the request as it arrived.
 *
 * The steps carry the numbers of the specification: (1) canonical request, (2) string to sign, (3) signing key,
 * (4) signature. Nothing here decides what a wrong signature means; authentication.ts does.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */

import { createHash, createHmac } from 'node:crypto';
import type { HttpRequest } from './service.ts';

export const ALGORITHM = 'AWS4-HMAC-SHA256';

/** The scope of a signature: for which day, region and service the key was derived. */
export interface Scope {
  /** `20260131`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

export interface SignedBy {
  readonly secretAccessKey: string;
  readonly signingKeys: Map<string, Buffer>;
}

/** The signature that this request must carry. `signedHeaders` as the header lists them; `time` is its X-Amz-Date. */
export function signatureOf(
  request: HttpRequest,
  signedHeaders: readonly string[],
  time: string,
  scope: Scope,
  signedBy: SignedBy,
): string {
  const toSign = stringToSign(canonicalRequest(request, signedHeaders), time, scope);
  return hmac(signingKey(scope, signedBy), toSign).toString('hex');
}

/** (1) Method, path, query, headers and body in the one form that both sides can compute. */
function canonicalRequest(request: HttpRequest, signedHeaders: readonly string[]): string {
  const headers = signedHeaders.map((name) => `${name}:${canonicalValue(request.headers[name])}\n`).join('');
  return [
    request.method,
    canonicalPath(request.path),
    canonicalQuery(request.query),
    headers,
    signedHeaders.join(';'),
    sha256(request.body),
  ].join('\n');
}

function canonicalValue(value: string | undefined): string {
  return (value ?? '').trim().replace(/ +/g, ' ');
}

/** Every service but S3 encodes the path once more than it was sent. */
function canonicalPath(path: string): string {
  return path.split('/').map(encoded).join('/');
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  return [...new URLSearchParams(query)]
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join('&');
}

/** Percent-encoding of everything but the unreserved characters; encodeURIComponent leaves out four that count here. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** (2) */
function stringToSign(canonical: string, time: string, scope: Scope): string {
  return [ALGORITHM, time, scopeText(scope), sha256(canonical)].join('\n');
}

/** (3) One key per day, region and service, kept with the credentials it was derived from. */
function signingKey(scope: Scope, signedBy: SignedBy): Buffer {
  const text = scopeText(scope);
  const kept = signedBy.signingKeys.get(text);
  if (kept !== undefined) return kept;
  const key = [scope.region, scope.service, 'aws4_request'].reduce(
    hmac,
    hmac(`AWS4${signedBy.secretAccessKey}`, scope.date),
  );
  signedBy.signingKeys.set(text, key);
  return key;
}

function scopeText({ date, region, service }: Scope): string {
  return `${date}/${region}/${service}/aws4_request`;
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
