/**
 * The instance metadata service of EC2, as far as it is used: a session token by PUT, then the region, or the name of the instance's
 * role and its credentials. The role is that of the identity with `instanceRole: true`; without one there is none (404).
 *
 * Clients are pointed here by AWS_EC2_METADATA_SERVICE_ENDPOINT, so that no test needs the real address.
 */

import { AwsError } from './aws-error.ts';
import type { Context, JsonObject, Operation, Service } from './service.ts';

const SESSION = 'fake-session-token';
const SIX_HOURS = 6 * 3600;

/** The region that the instance is in. */
export const INSTANCE_REGION = 'eu-west-1';

const operations: Readonly<Record<string, Operation>> = {
  GetToken: { ids: () => [], run: () => ({ text: SESSION }), signed: false },
  GetRegion: { ids: () => [], run: getRegion, signed: false },
  ListRoles: { ids: () => [], run: (_, context) => ({ text: roleOf(context).name }), signed: false },
  GetRoleCredentials: { ids: () => [], run: getRoleCredentials, signed: false },
};

export const instanceMetadata: Service = {
  name: 'imds',
  operations,
  protocol: 'json',
  throttlingCode: 'Throttling',
  encode: (_, { text, ...result }) => ({
    status: 200,
    headers: { 'content-type': 'text/plain' },
    body: typeof text === 'string' ? text : JSON.stringify(result),
  }),
  encodeError: ({ status }) => ({
    status,
    headers: { 'content-type': 'text/html' },
    body: `<html>${status}</html>`,
  }),
};

const ROLES = '/latest/meta-data/iam/security-credentials/';

/** The operation of a request to the service; undefined when it is for another one. */
export function instanceMetadataOperation(method: string, path: string): string | undefined {
  if (path === '/latest/api/token' && method === 'PUT') return 'GetToken';
  if (path === '/latest/meta-data/placement/region') return 'GetRegion';
  if (path === ROLES) return 'ListRoles';
  return path.startsWith(ROLES) ? 'GetRoleCredentials' : undefined;
}

function getRegion(_input: JsonObject, context: Context): JsonObject {
  checkToken(context);
  return { text: INSTANCE_REGION };
}

function checkToken({ request }: Context): void {
  if (request.headers['x-aws-ec2-metadata-token'] !== SESSION) throw new AwsError('Unauthorized', '', 401);
}

function roleOf(context: Context): { readonly name: string; readonly lifetime: number } {
  checkToken(context);
  const found = context.account.identities.ofInstance();
  if (found === undefined) throw new AwsError('NotFound', '', 404);
  return { name: found.name, lifetime: found.identity.lifetime ?? SIX_HOURS };
}

function getRoleCredentials(_input: JsonObject, context: Context): JsonObject {
  const { name, lifetime } = roleOf(context);
  const { account, issueExpired } = context;
  const credentials = account.identities.issue(name, 'i-0123456789abcdef0', issueExpired ? -1 : lifetime);
  return {
    Code: 'Success',
    Type: 'AWS-HMAC',
    AccessKeyId: credentials.accessKeyId,
    SecretAccessKey: credentials.secretAccessKey,
    Token: credentials.sessionToken,
    Expiration: new Date(credentials.expiresAt).toISOString().replace(/\.\d+Z/, 'Z'),
  };
}
