/**
 * Reads the service account token, which the kubelet writes and renews, and its claims.
 *
 * The file is read each time credentials are fetched. The text is sent in one request and appears in no message.
 */

import { readRegularFile } from '../core/regular-file.ts';
import { escapeControl } from '../core/text.ts';
import { isObject, parseJson } from '../core/unknown.ts';
import { tokenProblem } from './credential-problems.ts';

/** Bytes. A token of the kubelet has about 1 KiB. */
const MAX_SIZE = 64 * 1024;

/** The token, without surrounding white space; throws a Problem if there is no usable token. */
export async function readToken(file: string): Promise<string> {
  // Synchronous, because the file is in memory, and loading node:fs/promises costs a cold start 2 ms.
  const content = readRegularFile(file, MAX_SIZE);
  if (content.kind === 'failed')
    throw tokenProblem(file, { kind: 'unreadable', code: content.found ?? content.code });
  const text = new TextDecoder().decode(content.bytes).trim();
  if (text === '') throw tokenProblem(file, { kind: 'empty' });
  // Node rejects other characters in a header, with a message that quotes them.
  if (!/^[\x21-\x7e]+$/.test(text)) throw tokenProblem(file, { kind: 'malformed' });
  return text;
}

/** The claims that explain why a token is rejected. */
export interface TokenClaims {
  /** `system:serviceaccount:NAMESPACE:NAME` */
  readonly subject: string | undefined;
  readonly audiences: readonly string[];
  /** Milliseconds since 1970. */
  readonly expiresAt: number | undefined;
}

/**
 * The claims, escaped; undefined if the text is not a JWT. They are public: the signature is the secret part of a token, and is not
 * returned. Nothing is verified here; the service that accepts the token does that.
 */
export function tokenClaims(token: string): TokenClaims | undefined {
  const claims = payloadOf(token);
  if (claims === undefined) return undefined;
  const text = (value: unknown) => (typeof value === 'string' ? escapeControl(value) : undefined);
  const audiences = Array.isArray(claims.aud) ? claims.aud : [claims.aud];
  return {
    subject: text(claims.sub),
    audiences: audiences.flatMap((audience) => text(audience) ?? []),
    expiresAt: typeof claims.exp === 'number' ? claims.exp * 1000 : undefined,
  };
}

function payloadOf(token: string): Readonly<Record<string, unknown>> | undefined {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return undefined;
  const claims = parseJson(Buffer.from(payload, 'base64url').toString('utf8'));
  return isObject(claims) ? claims : undefined;
}
