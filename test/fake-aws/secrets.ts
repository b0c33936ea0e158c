/**
 * The secrets of one region: versions, staging labels, deletion with a recovery window.
 *
 * Rules as in Secrets Manager: a label is on one version at a time; when AWSCURRENT moves, AWSPREVIOUS moves to the version that
 * had it. ARNs end in six characters that depend on the name only, so that tests can contain them.
 */

import { createHash } from 'node:crypto';
import { AwsError } from './aws-error.ts';

/** The value of a version: text, or bytes as base64. */
export type SecretValue = { readonly string: string } | { readonly binary: string };

export interface SecretVersion {
  readonly id: string;
  readonly value: SecretValue;
  readonly stages: Set<string>;
  /** Milliseconds since 1970, as every time here. */
  readonly createdAt: number;
}

export interface StoredSecret {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  readonly versions: Map<string, SecretVersion>;
  description: string | undefined;
  kmsKeyId: string | undefined;
  /** When AWS will rotate it next; a secret with this has rotation switched on. */
  nextRotation: number | undefined;
  changedAt: number;
  /** When it will be deleted; set while the deletion is scheduled. */
  deletedAt: number | undefined;
}

interface NewVersion {
  readonly value: SecretValue;
  /** Default: a derived one. */
  readonly id?: string | undefined;
  /** Default: AWSCURRENT. */
  readonly stages?: readonly string[] | undefined;
}

export interface Secrets {
  /** By name, ARN, or ARN without its last six characters. */
  find(id: string): StoredSecret | undefined;
  /** In the order of their names. */
  all(): readonly StoredSecret[];
  create(name: string): StoredSecret;
  /** Adds a version and moves the labels to it. The same id with the same value again changes nothing. */
  addVersion(secret: StoredSecret, version: NewVersion): SecretVersion;
  remove(secret: StoredSecret): void;
}

export function secretsOf(region: string, accountId: string, now: () => number): Secrets {
  const byName = new Map<string, StoredSecret>();
  const prefix = `arn:${partition(region)}:secretsmanager:${region}:${accountId}:secret:`;

  return {
    find(id) {
      if (!id.startsWith('arn:')) return byName.get(id);
      if (!id.startsWith(prefix)) return undefined;
      const rest = id.slice(prefix.length);
      const whole = byName.get(rest.replace(/-\w{6}$/, ''));
      return whole?.arn === id ? whole : byName.get(rest);
    },

    all: () => [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),

    create(name) {
      const secret: StoredSecret = {
        name,
        arn: `${prefix}${name}-${sixCharacters(name)}`,
        createdAt: now(),
        versions: new Map(),
        description: undefined,
        kmsKeyId: undefined,
        nextRotation: undefined,
        changedAt: now(),
        deletedAt: undefined,
      };
      byName.set(name, secret);
      return secret;
    },

    addVersion(secret, { value, stages = ['AWSCURRENT'], ...given }) {
      const id = given.id ?? derivedId(region, secret, value);
      const same = secret.versions.get(id);
      if (same !== undefined) {
        if (JSON.stringify(same.value) === JSON.stringify(value)) return same;
        throw new AwsError(
          'ResourceExistsException',
          `You can't use ClientRequestToken ${id} because that value is already in use for a version of secret ${secret.arn}.`,
        );
      }
      const version: SecretVersion = { id, value, stages: new Set(), createdAt: now() };
      // The first version is the current one, whatever labels it was given.
      const labels = secret.versions.size === 0 ? new Set([...stages, 'AWSCURRENT']) : stages;
      secret.versions.set(id, version);
      for (const stage of labels) moveStage(secret, stage, version);
      secret.changedAt = now();
      return version;
    },

    remove(secret) {
      byName.delete(secret.name);
    },
  };
}

/** The version that carries the label. */
export function versionAt(secret: StoredSecret, stage: string): SecretVersion | undefined {
  return [...secret.versions.values()].find((version) => version.stages.has(stage));
}

function moveStage(secret: StoredSecret, stage: string, to: SecretVersion): void {
  const from = versionAt(secret, stage);
  from?.stages.delete(stage);
  to.stages.add(stage);
  if (stage === 'AWSCURRENT' && from !== undefined) moveStage(secret, 'AWSPREVIOUS', from);
}

/** The first part of an ARN differs in China and in GovCloud. */
export function partition(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}

function sixCharacters(name: string): string {
  const digest = createHash('sha256').update(name).digest('base64');
  return digest.replace(/[^A-Za-z0-9]/g, '').slice(0, 6);
}

/**
 * A version id in the form of a UUID, the same in every run. It depends on the value too: a secret that was removed and created
 * again with another value, or loaded with another seed, has another version, as in AWS.
 */
function derivedId(region: string, { name, versions }: StoredSecret, value: SecretValue): string {
  const origin = JSON.stringify([region, name, versions.size, value]);
  const hex = createHash('sha256').update(origin).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
