/**
 * The identities: roles and users, their tokens, the credentials that were issued for them, and the actions that are denied.
 *
 * Everything that is not denied is allowed. Credentials refer to their identity by name, so that a changed rule applies at once to
 * those who already have credentials, as in IAM.
 */

import { randomBytes } from 'node:crypto';
import { AwsError } from './aws-error.ts';
import { matches } from './wildcard.ts';

export interface DenyRule {
  /** `secretsmanager:GetSecretValue`, with `*` and `?`. `kms:Decrypt` makes the decryption of a value fail. */
  readonly action: string;
  /** Name, ARN or path of the secret or parameter, with `*` and `?`. Default: all. */
  readonly resource?: string;
}

export interface Identity {
  /** ARN of the role that tokens are exchanged for. */
  readonly role?: string;
  /** ARN of a user with static keys. */
  readonly user?: string;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  /** Contents of the token files that the Pod Identity agent accepts. */
  readonly podIdentityTokens?: readonly string[];
  /** Contents of the token files that STS accepts. */
  readonly webIdentityTokens?: readonly string[];
  /** Expired tokens of either kind. */
  readonly expiredTokens?: readonly string[];
  /** The role of the instance, which the metadata service returns to any process. */
  readonly instanceRole?: boolean;
  /** Lifetime of issued credentials in seconds; default 6 h from the agent, the requested one (1 h) from STS. */
  readonly lifetime?: number;
  readonly deny?: readonly DenyRule[];
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  readonly caller: Caller;
  /** Signing keys by scope, kept because deriving one costs four times as much as using it. */
  readonly signingKeys: Map<string, Buffer>;
}

/** Who signed a request. */
export interface Caller {
  readonly identity: string;
  readonly arn: string;
  readonly userId: string;
}

/** The caller of operations without a signature. */
export const anonymous: Caller = { identity: '', arn: '', userId: '' };

/** The state of a token: its identity, expired, or unknown. */
type TokenMeaning =
  | { readonly kind: 'known'; readonly name: string; readonly identity: Identity }
  | { readonly kind: 'expired' }
  | { readonly kind: 'unknown' };

export interface Identities {
  byToken(kind: 'podIdentityTokens' | 'webIdentityTokens', token: string): TokenMeaning;
  /** The one with `instanceRole`. */
  ofInstance(): { readonly name: string; readonly identity: Identity } | undefined;
  /** The one that has this role. */
  byRole(role: string): { readonly name: string; readonly identity: Identity } | undefined;
  issue(name: string, session: string, lifetimeSeconds: number): Credentials;
  /** Issued credentials, valid or expired. */
  find(accessKeyId: string): Credentials | undefined;
  /** Adds an identity, or changes the fields given of the one that has this name. */
  change(name: string, changes: Identity): void;
  /** Expires all temporary credentials (of one identity) now; returns their number. */
  expire(name?: string): number;
  /** `resources`: all names by which a rule may refer to the requested resource; `*` for actions without a resource. */
  isDenied(caller: Caller, action: string, resources: readonly string[]): boolean;
}

const NEVER = Number.MAX_SAFE_INTEGER;

export function identities(
  seeds: Readonly<Record<string, Identity>>,
  accountId: string,
  now: () => number,
): Identities {
  const known = new Map<string, Identity>();
  const issued = new Map<string, Credentials>();
  for (const [name, identity] of Object.entries(seeds)) change(name, identity);

  function change(name: string, changes: Identity): void {
    const identity = { ...known.get(name), ...changes };
    known.set(name, identity);
    const { accessKeyId, secretAccessKey } = identity;
    if (accessKeyId === undefined || secretAccessKey === undefined) return;
    const arn = identity.user ?? `arn:aws:iam::${accountId}:user/${name}`;
    issued.set(accessKeyId, {
      accessKeyId,
      secretAccessKey,
      sessionToken: undefined,
      expiresAt: NEVER,
      caller: { identity: name, arn, userId: `AIDA${accessKeyId.slice(4)}` },
      signingKeys: new Map(),
    });
  }

  function first(is: (identity: Identity) => boolean): ReturnType<Identities['byRole']> {
    const [name, identity] = [...known].find(([, each]) => is(each)) ?? [];
    return name === undefined || identity === undefined ? undefined : { name, identity };
  }

  return {
    byToken(kind, token) {
      for (const [name, identity] of known) {
        if (identity.expiredTokens?.includes(token)) return { kind: 'expired' };
        if (identity[kind]?.includes(token)) return { kind: 'known', name, identity };
      }
      return { kind: 'unknown' };
    },

    ofInstance: () => first(({ instanceRole }) => instanceRole === true),
    byRole: (role) => first((identity) => identity.role === role),

    issue(name, session, lifetimeSeconds) {
      const role = known.get(name)?.role ?? `arn:aws:iam::${accountId}:role/${name}`;
      const account = role.split(':')[4] ?? accountId;
      const accessKeyId = `ASIA${randomName(16)}`;
      const credentials: Credentials = {
        accessKeyId,
        secretAccessKey: randomBytes(30).toString('base64'),
        sessionToken: `IQoJb3JpZ2luX2Vj${randomBytes(300).toString('base64')}`,
        expiresAt: now() + lifetimeSeconds * 1000,
        caller: {
          identity: name,
          arn: `arn:aws:sts::${account}:assumed-role/${role.slice(role.lastIndexOf('/') + 1)}/${session}`,
          userId: `AROA${randomName(16)}:${session}`,
        },
        signingKeys: new Map(),
      };
      issued.set(accessKeyId, credentials);
      return credentials;
    },

    find: (accessKeyId) => issued.get(accessKeyId),
    change,

    expire(name) {
      let count = 0;
      for (const [key, credentials] of issued) {
        if (credentials.sessionToken === undefined || credentials.expiresAt <= now()) continue;
        if (name !== undefined && credentials.caller.identity !== name) continue;
        issued.set(key, { ...credentials, expiresAt: now() });
        count += 1;
      }
      return count;
    },

    isDenied(caller, action, resources) {
      const rules = known.get(caller.identity)?.deny ?? [];
      return rules.some(
        ({ action: denied, resource: on = '*' }) =>
          matches(denied, action) && resources.some((name) => matches(on, name)),
      );
    },
  };
}

/** AWS's sentence for a call that no policy allows. `resource` is left out by actions that have none. */
export function accessDenied(caller: Caller, action: string, resource?: string): AwsError {
  const on = resource === undefined ? '' : ` on resource: ${resource}`;
  return new AwsError(
    'AccessDeniedException',
    `User: ${caller.arn} is not authorized to perform: ${action}${on} because no identity-based policy allows the ${action} action`,
  );
}

/** Upper-case letters and digits, as in the ids of IAM. */
function randomName(length: number): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return Array.from(randomBytes(length), (byte) => letters[byte % 32]).join('');
}
