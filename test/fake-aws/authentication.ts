/**
 * Finds the signer of a request, or the error, in the words of AWS.
 *
 * Only credentials that the fake AWS issued (or its seed lists) count. What is checked, in this order: (1) there is a whole
 * Authorization header, (2) its scope names this service, a region (the host's, if the host names one) and the day, and the
 * host is signed, (3) the key is known and the session token belongs to it, (4) the credentials have not expired, (5) the
 * request is at most 5 minutes old or early, (6) the signature matches.
 */

import { timingSafeEqual } from 'node:crypto';
import type { Account } from './account.ts';
import { AwsError } from './aws-error.ts';
import type { Caller, Credentials } from './identities.ts';
import type { HttpRequest, Service } from './service.ts';
import { ALGORITHM, type Scope, signatureOf } from './sigv4.ts';

/** The accepted clock skew, in milliseconds. */
const SKEW = 5 * 60_000;

/** The same rejections in the two protocols: code and status. */
const rejections = {
  missing: { json: ['MissingAuthenticationTokenException', 400], query: ['MissingAuthenticationToken', 403] },
  incomplete: { json: ['IncompleteSignatureException', 400], query: ['IncompleteSignature', 400] },
  unknown: { json: ['UnrecognizedClientException', 400], query: ['InvalidClientTokenId', 403] },
  expired: { json: ['ExpiredTokenException', 400], query: ['ExpiredToken', 403] },
  signature: { json: ['InvalidSignatureException', 400], query: ['SignatureDoesNotMatch', 403] },
} as const;

type Reason = keyof typeof rejections;

interface Authorization {
  readonly accessKeyId: string;
  readonly scope: Scope;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

/** The signer of the request; throws the AwsError of AWS. */
export function authenticate(request: HttpRequest, service: Service, account: Account): Caller {
  const protocol = service.protocol;
  const authorization = readAuthorization(request, protocol);
  const time = request.headers['x-amz-date'] ?? '';
  checkScope(authorization, time, request, service);
  const credentials = checkCredentials(authorization, request, account, protocol);
  checkTime(time, account.now(), protocol);
  const { signedHeaders, scope } = authorization;
  const expected = signatureOf(request, signedHeaders, time, scope, credentials);
  if (!sameText(expected, authorization.signature)) {
    throw rejected(
      'signature',
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
      protocol,
    );
  }
  return credentials.caller;
}

/** The unverified region in the scope of a request; empty without a scope. */
export function claimedRegion(request: HttpRequest): string {
  return /Credential=[^/]*\/[^/]*\/([^/]*)\//.exec(request.headers.authorization ?? '')?.[1] ?? '';
}

/** The response to a request whose credentials have expired. */
export function expiredCredentials(protocol: Service['protocol']): AwsError {
  return rejected('expired', 'The security token included in the request is expired', protocol);
}

/** (1) */
function readAuthorization(request: HttpRequest, protocol: Service['protocol']): Authorization {
  const header = request.headers.authorization;
  if (header === undefined) throw rejected('missing', 'Missing Authentication Token', protocol);
  const fields = new Map(
    header
      .slice(header.indexOf(' ') + 1)
      .split(/,\s*/)
      .map((field) => [field.slice(0, field.indexOf('=')), field.slice(field.indexOf('=') + 1)]),
  );
  const lacking = ['Credential', 'Signature', 'SignedHeaders'].filter((name) => !fields.get(name));
  if (request.headers['x-amz-date'] === undefined) lacking.push('X-Amz-Date');
  if (!header.startsWith(`${ALGORITHM} `) || lacking.length > 0) {
    const sentences = lacking.map((name) => `Authorization header requires '${name}' parameter.`);
    throw rejected('incomplete', `${sentences.join(' ')} Authorization=${ALGORITHM}`, protocol);
  }
  const [accessKeyId = '', date = '', region = '', service = '', end = ''] =
    fields.get('Credential')?.split('/') ?? [];
  if (end !== 'aws4_request') {
    throw rejected(
      'incomplete',
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term`,
      protocol,
    );
  }
  return {
    accessKeyId,
    scope: { date, region, service },
    signedHeaders: fields.get('SignedHeaders')?.split(';') ?? [],
    signature: fields.get('Signature') ?? '',
  };
}

/** (2) */
function checkScope(
  { scope, signedHeaders }: Authorization,
  time: string,
  request: HttpRequest,
  service: Service,
): void {
  const wrong = (sentence: string) => rejected('signature', sentence, service.protocol);
  if (scope.service !== service.name) {
    throw wrong(`Credential should be scoped to correct service: '${service.name}'.`);
  }
  // An AWS host name that resolves to this server has a region; an address has none.
  const host = /^(?:secretsmanager|ssm|sts)(?:-fips)?\.([a-z]+(?:-[a-z]+)+-\d)\./.exec(
    request.headers.host ?? '',
  );
  const named = host?.[1] ?? scope.region;
  if (!/^[a-z]+(-[a-z]+)+-\d$/.test(scope.region) || named !== scope.region) {
    throw wrong(`Credential should be scoped to a valid region, not '${scope.region}'.`);
  }
  if (!time.startsWith(scope.date)) {
    throw wrong(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${scope.date}' != '${time.slice(0, 8)}', from '${time}'.`,
    );
  }
  if (!signedHeaders.includes('host')) {
    throw wrong(`'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.`);
  }
}

/** (3) and (4) */
function checkCredentials(
  { accessKeyId }: Authorization,
  request: HttpRequest,
  account: Account,
  protocol: Service['protocol'],
): Credentials {
  const credentials = account.identities.find(accessKeyId);
  if (
    credentials === undefined ||
    !sameText(credentials.sessionToken ?? '', request.headers['x-amz-security-token'] ?? '')
  ) {
    throw rejected('unknown', 'The security token included in the request is invalid.', protocol);
  }
  if (credentials.expiresAt <= account.now()) throw expiredCredentials(protocol);
  return credentials;
}

/** (5) */
function checkTime(time: string, now: number, protocol: Service['protocol']): void {
  const sent = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (Number.isNaN(sent)) throw rejected('incomplete', `Date must be in ISO-8601 'basic format'.`, protocol);
  if (sent < now - SKEW) {
    throw rejected(
      'signature',
      `Signature expired: ${time} is now earlier than ${amzDate(now - SKEW)} (${amzDate(now)} - 5 min.)`,
      protocol,
    );
  }
  if (sent > now + SKEW) {
    throw rejected(
      'signature',
      `Signature not yet current: ${time} is still later than ${amzDate(now + SKEW)} (${amzDate(now)} + 5 min.)`,
      protocol,
    );
  }
}

/** `20260131T235959Z`. */
function amzDate(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}

function rejected(reason: Reason, message: string, protocol: Service['protocol']): AwsError {
  const [code, status] = rejections[reason][protocol];
  return new AwsError(code, message, status);
}

function sameText(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
