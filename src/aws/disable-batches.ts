/** Which failures make `--fetch auto` stop using batches, and for how long. */

import { iamActions } from './batches.ts';
import { type AwsErrorFacts, isUnknownOperation } from './error-facts.ts';

/** Milliseconds until a denied batch is tried again: the permission may have been added. */
const RETRY_DENIED_BATCH = 3_600_000;

/** Why batches are disabled, and for how long. Throttling does not disable them: single calls would be 20 times as many. */
export function reasonToDisable(
  failure: AwsErrorFacts,
): { readonly text: string; readonly duration: number } | undefined {
  if (failure.kind === 'denied')
    return {
      text: `the role may not call ${iamActions.BatchGetSecretValue}, which saves API calls; retried in an hour`,
      duration: RETRY_DENIED_BATCH,
    };
  return isUnknownOperation(failure)
    ? {
        text: `the endpoint does not have ${iamActions.BatchGetSecretValue}`,
        duration: Number.POSITIVE_INFINITY,
      }
    : undefined;
}
