/**
 * What a service account's token says of itself: who, for whom, until when.
 *
 * The claims are public and the signature is what makes a token a secret, so only the claims are returned. Nothing is
 * verified: the service that accepts the token verifies it.
 */

import { escapeControl } from '../core/text.ts';
import { isObject, parseJson } from '../core/unknown.ts';

/** The claims that explain why a token is refused. */
export interface TokenClaims {
  /** `system:serviceaccount:NAMESPACE:NAME` */
  readonly subject: string | undefined;
  readonly audiences: readonly string[];
  readonly issuer: string | undefined;
  /** Milliseconds since 1970. */
  readonly expiresAt: number | undefined;
}

/** The claims, each fit to print; undefined when the text is no JWT. */
export function tokenClaims(token: string): TokenClaims | undefined {
  const claims = payloadOf(token);
  if (claims === undefined) return undefined;
  const text = (value: unknown) => (typeof value === 'string' ? escapeControl(value) : undefined);
  const audiences = Array.isArray(claims.aud) ? claims.aud : [claims.aud];
  return {
    subject: text(claims.sub),
    audiences: audiences.flatMap((audience) => text(audience) ?? []),
    issuer: text(claims.iss),
    expiresAt: typeof claims.exp === 'number' ? claims.exp * 1000 : undefined,
  };
}

function payloadOf(token: string): Readonly<Record<string, unknown>> | undefined {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return undefined;
  const claims = parseJson(Buffer.from(payload, 'base64url').toString('utf8'));
  return isObject(claims) ? claims : undefined;
}
