/**
 * One value to ask AWS for, and what came of asking.
 *
 * Two objects that name the same value at the same version share one Read, so that it is asked for once. The outcome of a
 * read is a value or the Problem that explains why there is none: a pass over many reads reports every failure, not the
 * first.
 */

import type { Problem } from '../core/problem.ts';
import type { Secret } from '../core/secret.ts';

/** The two services, by the names that `objectType` uses. */
export type Service = 'secretsmanager' | 'ssmparameter';

/** Says which value is meant: equal keys, equal values. Made only by `readOf`. */
export type SecretRefKey = string & { readonly __brand: 'ReadKey' };

/** One value, in one region, at one version. */
export interface SecretRef {
  readonly key: SecretRefKey;
  readonly service: Service;
  readonly region: string;
  /** Name or ARN, as AWS is to be asked for it; never with a selector. */
  readonly id: string;
  /** `objectVersion`: a VersionId of Secrets Manager, or the version number of a parameter. */
  readonly version?: string;
  /** `objectVersionLabel`: a staging label of Secrets Manager, or a label of a parameter. */
  readonly stage?: string;
}

/** The read of one value. */
export function secretRef(read: Omit<SecretRef, 'key'>): SecretRef {
  const key = JSON.stringify([read.service, read.region, read.id, read.version ?? null, read.stage ?? null]);
  return { ...read, key: key as SecretRefKey };
}

/**
 * A read that pins a version never changes: once it was read, it need not be asked for again. What stands for the version
 * of a parameter but is no number is a label to Parameter Store, and labels move.
 */
export function isPinned({ service, version }: SecretRef): boolean {
  return version !== undefined && (service === 'secretsmanager' || /^\d+$/.test(version));
}

/** What came of a read. */
export type FetchResult = FetchedValue | { readonly kind: 'failed'; readonly problem: Problem };

/** A value that was read. */
export interface FetchedValue {
  readonly kind: 'found';
  readonly value: Secret;
  /** VersionId of Secrets Manager, or the version number of a parameter. */
  readonly version: string;
}

/** An outcome for each read that was asked for. */
export type FetchResults = ReadonlyMap<SecretRefKey, FetchResult>;
