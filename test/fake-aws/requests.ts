/**
 * Requests of the tests to the fake AWS: SDK clients without retries, and raw requests with any headers, valid or not.
 */

import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { type Scope, signatureOf } from './sigv4.ts';

/** The static keys of `operator` in example.seed.yaml, which is denied nothing. */
export const operatorKeys = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};

export type Keys = typeof operatorKeys & { readonly sessionToken?: string };

/** A client of Secrets Manager; it makes one attempt by default. */
export function secretsManagerAt(
  url: string,
  credentials: Keys = operatorKeys,
  region = 'eu-west-1',
  maxAttempts = 1,
) {
  return new SecretsManagerClient({ endpoint: url, region, credentials, maxAttempts });
}

/** A client of Parameter Store that tries once. */
export function parameterStoreAt(url: string, credentials: Keys = operatorKeys, region = 'eu-west-1') {
  return new SSMClient({ endpoint: url, region, credentials, maxAttempts: 1 });
}

export interface RawResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/** One request as it is given. */
export async function send(
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  body = '',
): Promise<RawResponse> {
  const request = httpRequest(url, { method, headers });
  request.end(body);
  const [response] = await once(request, 'response');
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

export interface SignedRequest {
  readonly service: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
  readonly keys?: Keys;
  readonly region?: string;
  /** Milliseconds since 1970. */
  readonly at?: number;
  /** What is written into the scope; default: the day of `at`. */
  readonly date?: string;
  /** Headers that are sent without being signed. */
  readonly unsigned?: readonly string[];
}

/** The headers of a POST to `/`, signed. */
export function signed(url: string, request: SignedRequest): Readonly<Record<string, string>> {
  const { service, body, region = 'eu-west-1', at = Date.now() } = request;
  const keys: Keys = request.keys ?? operatorKeys;
  const time = `${new Date(at).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
  const scope: Scope = { date: request.date ?? time.slice(0, 8), region, service };
  const headers: Readonly<Record<string, string>> = {
    host: new URL(url).host,
    'x-amz-date': time,
    ...(keys.sessionToken === undefined ? {} : { 'x-amz-security-token': keys.sessionToken }),
    ...request.headers,
  };
  const names = Object.keys(headers)
    .filter((name) => !request.unsigned?.includes(name))
    .sort();
  const toSign = { method: 'POST', path: '/', query: '', headers, body: Buffer.from(body) };
  const signature = signatureOf(toSign, names, time, scope, { ...keys, signingKeys: new Map() });
  const credential = `${keys.accessKeyId}/${scope.date}/${region}/${service}/aws4_request`;
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  };
}
