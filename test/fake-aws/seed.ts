/**
 * The seed: the data of the fake AWS at its start, from a YAML file or as an object of the same shape.
 *
 *   account: '111122223333'              # default
 *   chance: 1                            # seed of the random numbers; default 1
 *   identities:
 *     app:                               # a role for pods: tokens are exchanged for temporary credentials
 *       role: arn:aws:iam::111122223333:role/app
 *       podIdentityTokens: [pod-token]   # what the agent accepts in Authorization
 *       webIdentityTokens: [web-token]   # what STS accepts for this role
 *       expiredTokens: [old-token]
 *       lifetime: 900                    # seconds
 *       instanceRole: true               # the identity of the instance metadata service
 *       deny:                            # what is not denied is allowed
 *         - action: secretsmanager:BatchGetSecretValue
 *         - action: ssm:GetParameter*
 *           resource: /other/*
 *         - action: kms:Decrypt          # "Access to KMS is not allowed"
 *           resource: locked
 *     operator:                          # a user with static keys
 *       accessKeyId: AKIAIOSFODNN7EXAMPLE
 *       secretAccessKey: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
 *   regions:
 *     eu-west-1:
 *       secrets:
 *         db/password: hunter2           # a text secret with one version
 *         db/login:
 *           json: { username: app, password: hunter2 }
 *           nextRotation: 2030-01-01T00:00:00Z
 *         tls/keystore: { binary: AAEC }  # base64
 *         api/key:
 *           versions:                    # oldest first; `stages` defaults to AWSCURRENT, which moves as AWS moves it
 *             - { id: 11111111-1111-4111-8111-111111111111, string: old }
 *             - { string: new }
 *             - { string: next, stages: [AWSPENDING] }
 *         gone: { string: x, deleted: true }   # marked for deletion
 *         empty: {}                      # a secret without a value
 *       parameters:
 *         /app/token: s3cret             # a SecureString
 *         /app/url: { type: String, value: https://example.com }
 *         /app/key:
 *           versions:
 *             - { value: one, labels: [blue] }
 *             - { value: two, labels: [green] }
 *   faults:                              # see faults.ts
 *     - { on: { operation: GetSecretValue, id: db/password }, times: 2, does: { kind: throttle, retryAfter: 1 } }
 */

import { parse } from 'yaml';
import type { Fault, GarbageShape, Misbehaviour } from './faults.ts';
import type { DenyRule, Identity } from './identities.ts';
import type { ParameterType } from './parameters.ts';
import { anything, byKind, flag, list, number, object, type Reader, record, text, word } from './reading.ts';
import { serviceNames } from './service.ts';

export interface Seed {
  readonly account?: string;
  readonly chance?: number;
  readonly identities?: Readonly<Record<string, Identity>>;
  readonly regions?: Readonly<Record<string, RegionSeed>>;
  readonly faults?: readonly Fault[];
}

export interface RegionSeed {
  /** A string is short for `{ string: … }`. */
  readonly secrets?: Readonly<Record<string, string | SecretSeed>>;
  /** A string is short for a SecureString of this value. */
  readonly parameters?: Readonly<Record<string, string | ParameterSeed>>;
}

/** A value in one of three forms, or none. */
export interface ValueSeed {
  readonly string?: string;
  /** Stored as the text of this JSON. */
  readonly json?: unknown;
  /** Base64. */
  readonly binary?: string;
}

export interface VersionSeed extends ValueSeed {
  readonly id?: string;
  readonly stages?: readonly string[];
}

export interface SecretSeed extends VersionSeed {
  readonly description?: string;
  readonly kmsKeyId?: string;
  /** ISO time. */
  readonly nextRotation?: string;
  /** Marked for deletion; `false` restores. */
  readonly deleted?: boolean;
  /** Instead of an own value. */
  readonly versions?: readonly VersionSeed[];
}

export interface ParameterSeed {
  /** Default: what the parameter is already, or SecureString. */
  readonly type?: ParameterType;
  readonly value?: string;
  readonly labels?: readonly string[];
  /** Instead of an own value. */
  readonly versions?: readonly { readonly value: string; readonly labels?: readonly string[] }[];
}

/** A seed from YAML; throws an Error that names the place where it does not fit. */
export function parseSeed(yaml: string): Seed {
  return seed(parse(yaml) ?? {}, 'seed');
}

const denyRule: Reader<DenyRule> = object({ action: text }, { resource: text });

export const identityFields = {
  role: text,
  user: text,
  accessKeyId: text,
  secretAccessKey: text,
  podIdentityTokens: list(text),
  webIdentityTokens: list(text),
  expiredTokens: list(text),
  instanceRole: flag,
  lifetime: number,
  deny: list(denyRule),
} as const;

const valueFields = { string: text, json: anything, binary: text, id: text, stages: list(text) } as const;

export const secretFields = {
  ...valueFields,
  description: text,
  kmsKeyId: text,
  nextRotation: text,
  deleted: flag,
  versions: list(object({}, valueFields)),
} as const;

export const parameterFields = {
  type: word('String', 'StringList', 'SecureString'),
  value: text,
  labels: list(text),
  versions: list(object({ value: text }, { labels: list(text) })),
} as const;

const garbageShape: Reader<GarbageShape> = word(
  'not-json',
  'truncated',
  'no-value',
  'numbers',
  'null',
  'list',
  'empty',
  'huge',
);

const misbehaviour: Reader<Misbehaviour> = byKind<Misbehaviour>({
  latency: object({ kind: word('latency'), ms: number }, {}),
  throttle: object({ kind: word('throttle') }, { status: word(400, 429), retryAfter: number }),
  error: object({ kind: word('error'), code: text }, { message: text, status: number }),
  'server-error': object(
    { kind: word('server-error') },
    { status: number, body: word('error', 'html', 'empty'), retryAfter: number },
  ),
  hang: object({ kind: word('hang') }, {}),
  cut: object({ kind: word('cut'), at: word('before-headers', 'mid-body') }, {}),
  garbage: object({ kind: word('garbage'), shape: garbageShape }, { bytes: number }),
  expired: object({ kind: word('expired') }, {}),
  'batch-error': object({ kind: word('batch-error'), code: text }, { message: text }),
  absent: object({ kind: word('absent') }, {}),
});

export const filterFields = {
  service: word(...serviceNames),
  operation: text,
  region: text,
  id: text,
} as const;

export const fault: Reader<Fault> = object(
  { does: misbehaviour },
  { on: object({}, filterFields), times: number, after: number, chance: number },
);

/** A string is short for an object with it in one field. */
function textOr<T>(reader: Reader<T>): Reader<string | T> {
  return (value, where) => (typeof value === 'string' ? value : reader(value, where));
}

const region: Reader<RegionSeed> = object(
  {},
  {
    secrets: record(textOr<SecretSeed>(object({}, secretFields))),
    parameters: record(textOr<ParameterSeed>(object({}, parameterFields))),
  },
);

/** A seed that came as data. */
export const seed: Reader<Seed> = object(
  {},
  {
    account: text,
    chance: number,
    identities: record<Identity>(object({}, identityFields)),
    regions: record(region),
    faults: list(fault),
  },
);
