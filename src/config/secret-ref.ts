/**
 * A reference to one value in AWS, and the result of fetching it.
 *
 * Objects that name the same value at the same version share one ref, so that it is fetched once. A result is a value or
 * the Problem that explains why there is none: a fetch of many refs reports every failure, not the first.
 */

import type { Problem } from '../core/problem.ts';
import type { Secret } from '../core/secret.ts';
import type { Service } from '../core/service.ts';

/** Identifies a value: refs with equal keys name the same value. Created only by `secretRef`. */
export type SecretRefKey = string & { readonly __brand: 'SecretRefKey' };

/** One value, in one region, at one version. */
export interface SecretRef {
  readonly key: SecretRefKey;
  readonly service: Service;
  readonly region: string;
  /** Name or ARN, without a selector. */
  readonly id: string;
  /** `objectVersion`: a VersionId of Secrets Manager, or the version number of a parameter. */
  readonly version?: string | undefined;
  /** `objectVersionLabel`: a staging label of Secrets Manager, or a label of a parameter. */
  readonly stage?: string | undefined;
}

/** objectVersion and objectVersionLabel. */
export interface VersionPin {
  readonly version: string | undefined;
  readonly label: string | undefined;
}

/** The ref with its key. */
export function secretRef(fields: Omit<SecretRef, 'key'>): SecretRef {
  const { service, region, id, version, stage } = fields;
  const key = JSON.stringify([service, region, id, version ?? null, stage ?? null]);
  return { ...fields, key: key as SecretRefKey };
}

/**
 * A value of a pinned version never changes, so it is never fetched again. An objectVersion of a parameter that is not a
 * number is a label to Parameter Store, and labels move.
 */
export function isPinned({ service, version }: SecretRef): boolean {
  return version !== undefined && (service === 'secretsmanager' || /^\d+$/.test(version));
}

/** The result of fetching one ref. */
export type FetchResult = FetchedValue | FailedFetch;

/** The ref has no value. */
export interface FailedFetch {
  readonly kind: 'failed';
  readonly problem: Problem;
  /** AWS's error code, without `Exception`; undefined if AWS returned none. */
  readonly awsCode?: string | undefined;
}

/** A value that was fetched. */
export interface FetchedValue {
  readonly kind: 'found';
  readonly value: Secret;
  /** VersionId of Secrets Manager, or the version number of a parameter. */
  readonly version: string;
}

/** One result for each ref of a fetch. */
export type FetchResults = ReadonlyMap<SecretRefKey, FetchResult>;

/** The results of several fetches, of different refs. */
export function mergeResults(all: readonly FetchResults[]): FetchResults {
  return new Map(all.flatMap((results) => [...results]));
}
