/**
 * The simulated AWS account: its identities, and per region its secrets and parameters.
 *
 * A region is created at its first use. `storeSecret` and `storeParameter` are used by both the seed and
 * the control API.
 */

import { type Identities, identities } from './identities.ts';
import { type Parameters, parametersOf } from './parameters.ts';
import {
  type Secrets,
  type SecretValue,
  type SecretVersion,
  type StoredSecret,
  secretsOf,
} from './secrets.ts';
import type { ParameterSeed, SecretSeed, Seed, ValueSeed, VersionSeed } from './seed.ts';

export interface Account {
  readonly id: string;
  /** Milliseconds since 1970. */
  now(): number;
  readonly identities: Identities;
  secrets(region: string): Secrets;
  parameters(region: string): Parameters;
}

/** AWS's default recovery window of a deleted secret, in milliseconds. */
const DELETED_FOR = 30 * 24 * 60 * 60_000;

export function accountOf(seed: Seed, now: () => number): Account {
  const id = seed.account ?? '111122223333';
  const secrets = new Map<string, Secrets>();
  const parameters = new Map<string, Parameters>();
  const account: Account = {
    id,
    now,
    identities: identities(seed.identities ?? {}, id, now),
    secrets: (region) => kept(secrets, region, () => secretsOf(region, id, now)),
    parameters: (region) => kept(parameters, region, () => parametersOf(region, id, now)),
  };
  for (const [region, held] of Object.entries(seed.regions ?? {})) {
    for (const [name, secret] of Object.entries(held.secrets ?? {})) {
      storeSecret(account, region, name, typeof secret === 'string' ? { string: secret } : secret);
    }
    for (const [name, parameter] of Object.entries(held.parameters ?? {})) {
      storeParameter(account, region, name, typeof parameter === 'string' ? { value: parameter } : parameter);
    }
  }
  return account;
}

/** Creates or changes the secret: the given fields are set, and each given value is a new version. */
export function storeSecret(account: Account, region: string, name: string, seed: SecretSeed): StoredSecret {
  const secrets = account.secrets(region);
  const secret = secrets.find(name) ?? secrets.create(name);
  for (const version of seed.versions ?? [seed]) addVersion(secrets, secret, version);
  if (seed.description !== undefined) secret.description = seed.description;
  if (seed.kmsKeyId !== undefined) secret.kmsKeyId = seed.kmsKeyId;
  if (seed.nextRotation !== undefined) secret.nextRotation = Date.parse(seed.nextRotation);
  if (seed.deleted !== undefined) secret.deletedAt = seed.deleted ? account.now() + DELETED_FOR : undefined;
  return secret;
}

/** Creates the parameter, or adds a version for each given value; returns the number of its newest version. */
export function storeParameter(account: Account, region: string, name: string, seed: ParameterSeed): number {
  const parameters = account.parameters(region);
  const { value, labels = [] } = seed;
  const there = parameters.find(name);
  const type = seed.type ?? (typeof there === 'string' ? 'SecureString' : there.version.type);
  const versions = seed.versions ?? (value === undefined ? [] : [{ value, labels }]);
  const numbers = versions.map((version) => parameters.put(name, version.value, type, version.labels).number);
  const newest = numbers.at(-1);
  if (newest === undefined) throw new Error(`parameter ${name}: expected a value or versions, got neither`);
  return newest;
}

function addVersion(secrets: Secrets, secret: StoredSecret, seed: VersionSeed): SecretVersion | undefined {
  const value = valueIn(seed);
  return value && secrets.addVersion(secret, { value, id: seed.id, stages: seed.stages });
}

function valueIn({ string, json, binary }: ValueSeed): SecretValue | undefined {
  if (string !== undefined) return { string };
  if (json !== undefined) return { string: JSON.stringify(json) };
  return binary === undefined ? undefined : { binary };
}

function kept<T>(map: Map<string, T>, region: string, make: () => T): T {
  const there = map.get(region);
  if (there !== undefined) return there;
  const made = make();
  map.set(region, made);
  return made;
}
