/**
 * Selects the region whose value an object gets, by the rules in the code of the AWS provider (its README describes others).
 *
 * With a failover region both are fetched at the start, and the primary's value is preferred. Only a few AWS error codes fail the
 * object even if the other region has a value: the value does not exist, or the request is malformed. After any other failure,
 * access denied included, the other region's value is used, with a warning. An `optional` object may be missing.
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

/** The value to use, with the failure of the other region; a missing optional object; or every cause of the failure. */
export type Selection =
  | {
      readonly kind: 'value';
      readonly value: FetchedValue;
      readonly region: string;
      readonly degraded: Problem | undefined;
    }
  | { readonly kind: 'missing'; readonly problem: Problem }
  | { readonly kind: 'failed'; readonly problems: readonly Problem[] };

/** Selects from the results of one object. The failover region has no result if it was not fetched. */
export function selectRegion(object: PlannedObject, results: FetchResults): Selection {
  const primary = resultOf(object.primary, results);
  const failover = object.failover === undefined ? undefined : results.get(object.failover.key);

  // A missing optional object is not a failure, in either region.
  const failures = [primary, failover].flatMap((result) =>
    result?.kind === 'failed' && !(object.optional && isMissing(result)) ? [result] : [],
  );
  const fatal = failures.filter((result) =>
    isFatal(result, result === primary ? FATAL_IN_PRIMARY : FATAL_IN_FAILOVER),
  );
  if (fatal.length > 0) return { kind: 'failed', problems: fatal.map(({ problem }) => problem) };
  if (object.optional && isMissing(primary)) return { kind: 'missing', problem: primary.problem };

  if (primary.kind === 'found') {
    const degraded = failover?.kind === 'failed' ? failover.problem : undefined;
    return { kind: 'value', value: primary, region: object.primary.region, degraded };
  }
  if (failover?.kind === 'found' && object.failover !== undefined) {
    return { kind: 'value', value: failover, region: object.failover.region, degraded: primary.problem };
  }
  return { kind: 'failed', problems: failures.map(({ problem }) => problem) };
}

/** The failover refs to fetch, given the results of the primary region. */
export function failoverRefs(plan: Plan, results: FetchResults): readonly SecretRef[] {
  return plan.objects.flatMap((object) => {
    const primary = resultOf(object.primary, results);
    return object.failover !== undefined && primary.kind === 'failed' && !isFatal(primary, FATAL_IN_PRIMARY)
      ? [object.failover]
      : [];
  });
}

/** Errors of the primary region that a failover cannot resolve: the value does not exist or cannot be used. */
const FATAL_IN_PRIMARY: ReadonlySet<string> = new Set([
  'ResourceNotFound',
  'InvalidParameter',
  'InvalidRequest',
  'DecryptionFailure',
  'InvalidKeyId',
  'InvalidParameters',
]);

/** Errors that make a failover region unusable: they are reported at the first start, not when the failover is needed. */
const FATAL_IN_FAILOVER: ReadonlySet<string> = new Set([
  'ResourceNotFound',
  'InvalidParameter',
  'InvalidKeyId',
  'InvalidParameters',
]);

function isFatal({ awsCode, problem }: FailedFetch, codes: ReadonlySet<string>): boolean {
  if (awsCode !== undefined) return codes.has(awsCode);
  // Without variables or a token no region can be reached.
  return problem.code === 'credentials.variables' || problem.code === 'credentials.token';
}

function isMissing(result: FetchResult): result is FailedFetch {
  return result.kind === 'failed' && result.problem.code === 'fetch.notFound';
}

function resultOf(ref: SecretRef, results: FetchResults): FetchResult {
  const result = results.get(ref.key);
  if (result === undefined)
    throw new Error(`no result for ${ref.id} in ${ref.region}: a source must return one for every ref`);
  return result;
}
