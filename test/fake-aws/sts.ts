/**
 * STS: exchanges a web identity token, or the signature of another identity, for credentials, and returns the identity of the signer.
 * Query protocol in, XML out.
 *
 * A token is looked up, not verified as a JWT: it is known, expired or unknown. A known token gets only the role of its
 * identity.
 */

import { AwsError } from './aws-error.ts';
import type { Credentials } from './identities.ts';
import type { Context, HttpResponse, JsonObject, Operation, Service } from './service.ts';

/** Default lifetime of credentials, in seconds. */
const ONE_HOUR = 3600;
const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';

const operations: Readonly<Record<string, Operation>> = {
  AssumeRoleWithWebIdentity: {
    ids: (input) => [String(input.RoleArn ?? '')],
    run: assumeRoleWithWebIdentity,
    signed: false,
  },
  AssumeRole: { ids: (input) => [String(input.RoleArn ?? '')], run: assumeRole },
  GetCallerIdentity: { ids: () => [], run: getCallerIdentity },
};

export const sts: Service = {
  name: 'sts',
  operations,
  protocol: 'query',
  throttlingCode: 'Throttling',
  encode: (operation, result) =>
    xml(
      200,
      `<${operation}Response xmlns="${NAMESPACE}">${element(`${operation}Result`, result)}</${operation}Response>`,
    ),
  encodeError: ({ status, code, message, headers }) => {
    const type = status < 500 ? 'Sender' : 'Receiver';
    const error = element('Error', { Type: type, Code: code, Message: message });
    return xml(status, `<ErrorResponse xmlns="${NAMESPACE}">${error}</ErrorResponse>`, headers);
  },
};

/** The fields of a query request: a form in the body, or the query of a GET. */
export function queryInput(form: string): JsonObject {
  return Object.fromEntries(new URLSearchParams(form));
}

function assumeRoleWithWebIdentity(input: JsonObject, { account, issueExpired }: Context): JsonObject {
  const [roleArn, session, token] = ['RoleArn', 'RoleSessionName', 'WebIdentityToken'].map((field) =>
    required(input, field),
  ) as [string, string, string];
  const meaning = account.identities.byToken('webIdentityTokens', token);
  if (meaning.kind === 'expired') {
    const now = Math.floor(account.now() / 1000);
    throw new AwsError(
      'ExpiredTokenException',
      `Token expired: current date/time ${now} must be before the expiration date/time ${now - 60}`,
    );
  }
  if (meaning.kind === 'unknown') {
    throw new AwsError(
      'InvalidIdentityToken',
      'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)',
    );
  }
  if (meaning.identity.role !== roleArn) {
    throw new AwsError('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity', 403);
  }
  const lifetime = meaning.identity.lifetime ?? Number(input.DurationSeconds ?? ONE_HOUR);
  const credentials = account.identities.issue(meaning.name, session, issueExpired ? -1 : lifetime);
  return {
    SubjectFromWebIdentityToken: `system:serviceaccount:default:${meaning.name}`,
    Audience: 'sts.amazonaws.com',
    AssumedRoleUser: { AssumedRoleId: credentials.caller.userId, Arn: credentials.caller.arn },
    Provider: 'arn:aws:iam::oidc-provider/oidc.eks.example',
    Credentials: credentialsIn(credentials),
  };
}

/** Every identity may assume any role that another identity has, unless it is denied. */
function assumeRole(input: JsonObject, { account, caller, issueExpired }: Context): JsonObject {
  const role = required(input, 'RoleArn');
  const session = required(input, 'RoleSessionName');
  const found = account.identities.byRole(role);
  if (found === undefined || account.identities.isDenied(caller, 'sts:AssumeRole', [role])) {
    const sentence = `User: ${caller.arn} is not authorized to perform: sts:AssumeRole on resource: ${role}`;
    throw new AwsError('AccessDenied', sentence, 403);
  }
  const lifetime = found.identity.lifetime ?? Number(input.DurationSeconds ?? ONE_HOUR);
  const credentials = account.identities.issue(found.name, session, issueExpired ? -1 : lifetime);
  return {
    AssumedRoleUser: { AssumedRoleId: credentials.caller.userId, Arn: credentials.caller.arn },
    Credentials: credentialsIn(credentials),
  };
}

function credentialsIn(credentials: Credentials): JsonObject {
  return {
    AccessKeyId: credentials.accessKeyId,
    SecretAccessKey: credentials.secretAccessKey,
    SessionToken: credentials.sessionToken,
    Expiration: new Date(credentials.expiresAt).toISOString().replace(/\.\d+Z/, 'Z'),
  };
}

function getCallerIdentity(_input: JsonObject, { caller }: Context): JsonObject {
  return { UserId: caller.userId, Account: caller.arn.split(':')[4], Arn: caller.arn };
}

function required(input: JsonObject, field: string): string {
  const value = input[field];
  if (typeof value === 'string' && value !== '') return value;
  const name = field.slice(0, 1).toLowerCase() + field.slice(1);
  throw new AwsError(
    'ValidationError',
    `1 validation error detected: Value null at '${name}' failed to satisfy constraint: Member must not be null`,
  );
}

function xml(status: number, body: string, headers: Readonly<Record<string, string>> = {}): HttpResponse {
  return { status, headers: { 'content-type': 'text/xml', ...headers }, body };
}

function element(name: string, content: unknown): string {
  const inside =
    typeof content === 'object' && content !== null
      ? Object.entries(content)
          .map(([child, value]) => element(child, value))
          .join('')
      : escaped(String(content));
  return `<${name}>${inside}</${name}>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
