/**
 * The EKS Pod Identity agent: `GET /v1/credentials` with the content of the token file as the Authorization header.
 *
 * Errors are those of the agent: plain text with a line end, a sentence if the agent itself rejects a request, and
 * `[request id]: (Code): message, fault: client` if EKS Auth rejects it.
 */

import { randomUUID } from 'node:crypto';
import { AwsError } from './aws-error.ts';
import type { Context, JsonObject, Operation, Service } from './service.ts';

/** EKS Auth issues credentials for 6 hours. */
const SIX_HOURS = 6 * 3600;

/** The code of requests that the agent itself rejects; it is not shown. */
const REFUSED_HERE = 'RequestValidationError';

const operations: Readonly<Record<string, Operation>> = {
  GetCredentials: { ids: () => [], run: getCredentials, signed: false },
};

export const agent: Service = {
  name: 'agent',
  operations,
  protocol: 'json',
  throttlingCode: 'ThrottlingException',
  encode: (_, result) => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(result),
  }),
  encodeError: ({ status, code, message, headers }) => {
    const fault = status < 500 ? 'client' : 'server';
    const sentence =
      code === REFUSED_HERE ? message : `[${randomUUID()}]: (${code}): ${message}, fault: ${fault}`;
    return {
      status,
      headers: {
        'content-type': 'text/plain; charset=utf-8',
        'x-content-type-options': 'nosniff',
        ...headers,
      },
      body: `${sentence}\n`,
    };
  },
};

function getCredentials(_input: JsonObject, { account, request, issueExpired }: Context): JsonObject {
  const token = request.headers.authorization ?? '';
  if (token === '') throw new AwsError(REFUSED_HERE, 'Service account token cannot be empty');
  const meaning = account.identities.byToken('podIdentityTokens', token);
  if (meaning.kind === 'expired') {
    throw new AwsError('ExpiredTokenException', 'The token included in the request is expired');
  }
  if (meaning.kind === 'unknown') throw unknownToken(token);
  const lifetime = meaning.identity.lifetime ?? SIX_HOURS;
  const session = `eks-fake-${meaning.name}-${randomUUID()}`;
  const credentials = account.identities.issue(meaning.name, session, issueExpired ? -1 : lifetime);
  return {
    AccessKeyId: credentials.accessKeyId,
    SecretAccessKey: credentials.secretAccessKey,
    Token: credentials.sessionToken,
    AccountId: credentials.caller.arn.split(':')[4],
    Expiration: new Date(credentials.expiresAt).toISOString().replace(/\.\d+Z/, 'Z'),
  };
}

/** The agent itself rejects text that is not a JWT. */
function unknownToken(token: string): AwsError {
  return token.split('.').length === 3
    ? new AwsError('InvalidTokenException', 'The token included in the request is invalid')
    : new AwsError(
        REFUSED_HERE,
        'Service account token cannot be parsed: token is malformed: token contains an invalid number of segments',
      );
}
