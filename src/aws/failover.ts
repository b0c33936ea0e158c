/**
 * Which region's answer serves an object.
 *
 * With a failover region the primary's value wins whenever there is one. In the first phase both regions are asked, and a
 * client fault of either (not found, access denied, a bad request) fails the object: a failover that could never work must
 * show on the first day, not on the day it is needed. In a refresh the second region is asked only if the first failed
 * with anything but a client fault. An object that is `optional` may be absent; an error about it is still an error.
 */

import type { Plan, PlannedObject } from '../config/plan.ts';
import type { FetchedValue, FetchResult, FetchResults, SecretRef } from '../config/secret-ref.ts';
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
    outcome?.kind === 'failed' && !(object.optional && isMissing(outcome)) ? [outcome.problem] : [],
  );
  const faults = failures.filter(isClientFault);
  if (faults.length > 0) return { kind: 'failed', problems: faults };
  if (object.optional && isMissing(primary)) return { kind: 'absent', problem: primary.problem };

  if (primary.kind === 'found') {
    const degraded = failover?.kind === 'failed' ? failover.problem : undefined;
    return { kind: 'value', value: primary, region: object.primary.region, degraded };
  }
  if (failover?.kind === 'found' && object.failover !== undefined) {
    return { kind: 'value', value: failover, region: object.failover.region, degraded: primary.problem };
  }
  return { kind: 'failed', problems: failures };
}

/** The failover reads that a refresh needs, once the primaries have answered. */
export function failoverRefs(plan: Plan, outcomes: FetchResults): readonly SecretRef[] {
  return plan.objects.flatMap((object) => {
    const primary = resultOf(object.primary, outcomes);
    return object.failover !== undefined && primary.kind === 'failed' && !isClientFault(primary.problem)
      ? [object.failover]
      : [];
  });
}

/** Whether the fault lies with what was asked, so that another region cannot be the answer to it. */
function isClientFault(problem: Problem): boolean {
  switch (problem.code) {
    case 'fetch.notFound':
    case 'fetch.denied':
    case 'fetch.client':
    // Without variables or a token no region can be asked at all.
    case 'credentials.variables':
    case 'credentials.token':
      return true;
    default:
      return false;
  }
}

function isMissing(outcome: FetchResult): outcome is Extract<FetchResult, { kind: 'failed' }> {
  return outcome.kind === 'failed' && outcome.problem.code === 'fetch.notFound';
}

function resultOf(read: SecretRef, outcomes: FetchResults): FetchResult {
  const outcome = outcomes.get(read.key);
  if (outcome === undefined)
    throw new Error(`no outcome for ${read.id} in ${read.region}: the source must answer for every read`);
  return outcome;
}
