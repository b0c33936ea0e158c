/**
 * Which region serves an object, as the code of the AWS provider decides it (its README says something else).
 *
 * With a failover region both are fetched at the start, and the primary's value is preferred. Only a few modelled errors fail
 * the object although the other region answers: the value does not exist, or the request is malformed. Any other failure,
 * access denied included, lets the other region serve, with a warning. An `optional` object may be missing.
 */

import type { Plan, PlannedObject } from '../config/plan.ts';
import type {
  FailedFetch,
  FetchedValue,
  FetchResult,
  FetchResults,
  SecretRef,
} from '../config/secret-ref.ts';
import type { Problem } from '../core/problem.ts';

/** The value that serves and what was passed over for it, a permitted absence, or every cause of the failure. */
export type Selection =
  | {
      readonly kind: 'value';
      readonly value: FetchedValue;
      readonly region: string;
      readonly degraded: Problem | undefined;
    }
  | { readonly kind: 'absent'; readonly problem: Problem }
  | { readonly kind: 'failed'; readonly problems: readonly Problem[] };

/** What the outcomes mean for one object. A failover read that was not asked is simply not there. */
export function selectRegion(object: PlannedObject, outcomes: FetchResults): Selection {
  const primary = resultOf(object.primary, outcomes);
  const failover = object.failover === undefined ? undefined : outcomes.get(object.failover.key);

  // That an optional object does not exist is no failure of it, in either region.
  const failures = [primary, failover].flatMap((outcome) =>
    outcome?.kind === 'failed' && !(object.optional && isMissing(outcome)) ? [outcome] : [],
  );
  const fatal = failures.filter((outcome) =>
    isFatal(outcome, outcome === primary ? FATAL_IN_PRIMARY : FATAL_IN_FAILOVER),
  );
  if (fatal.length > 0) return { kind: 'failed', problems: fatal.map(({ problem }) => problem) };
  if (object.optional && isMissing(primary)) return { kind: 'absent', problem: primary.problem };

  if (primary.kind === 'found') {
    const degraded = failover?.kind === 'failed' ? failover.problem : undefined;
    return { kind: 'value', value: primary, region: object.primary.region, degraded };
  }
  if (failover?.kind === 'found' && object.failover !== undefined) {
    return { kind: 'value', value: failover, region: object.failover.region, degraded: primary.problem };
  }
  return { kind: 'failed', problems: failures.map(({ problem }) => problem) };
}

/** The failover reads that a refresh needs, once the primaries have answered. */
export function failoverRefs(plan: Plan, outcomes: FetchResults): readonly SecretRef[] {
  return plan.objects.flatMap((object) => {
    const primary = resultOf(object.primary, outcomes);
    return object.failover !== undefined && primary.kind === 'failed' && !isFatal(primary, FATAL_IN_PRIMARY)
      ? [object.failover]
      : [];
  });
}

/** Errors of the primary that no other region can make good: the request names what does not exist, or cannot be used. */
const FATAL_IN_PRIMARY: ReadonlySet<string> = new Set([
  'ResourceNotFound',
  'InvalidParameter',
  'InvalidRequest',
  'DecryptionFailure',
  'InvalidKeyId',
  'InvalidParameters',
]);

/** Errors of a failover region that could never serve: they show at the first start, not on the day it is needed. */
const FATAL_IN_FAILOVER: ReadonlySet<string> = new Set([
  'ResourceNotFound',
  'InvalidParameter',
  'InvalidKeyId',
  'InvalidParameters',
]);

function isFatal({ awsCode, problem }: FailedFetch, codes: ReadonlySet<string>): boolean {
  if (awsCode !== undefined) return codes.has(awsCode);
  // Without variables or a token no region can be asked at all.
  return problem.code === 'credentials.variables' || problem.code === 'credentials.token';
}

function isMissing(outcome: FetchResult): outcome is FailedFetch {
  return outcome.kind === 'failed' && outcome.problem.code === 'fetch.notFound';
}

function resultOf(read: SecretRef, outcomes: FetchResults): FetchResult {
  const outcome = outcomes.get(read.key);
  if (outcome === undefined)
    throw new Error(`no outcome for ${read.id} in ${read.region}: the source must answer for every read`);
  return outcome;
}
