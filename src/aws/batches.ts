/**
 * Groups secret refs into API requests, and finds the entry of a response that belongs to a ref.
 *
 * The batch limits of both services are declared here: how many values one call may request, and which refs cannot share a call.
 * Batches are filled per region, in the order of the refs, across all configs. Every ref is in exactly one request; duplicates are
 * requested once.
 *
 * Requests contain a name, a full ARN or an ARN without its random suffix; responses contain names and full ARNs, in any order.
 * Entries are matched by name or ARN and selector, never by position.
 */

import type { FetchMode } from '../cli/options.ts';
import type { SecretRef } from '../config/secret-ref.ts';
import { isArn } from '../core/arn.ts';
import { textOf } from '../core/unknown.ts';
import { type AwsErrorFacts, isUnknownOperation } from './error-facts.ts';

/** One API call, and the refs whose values it returns. */
export type AwsRequest =
  | { readonly kind: 'GetParameters'; readonly region: string; readonly refs: readonly SecretRef[] }
  | { readonly kind: 'GetSecretValue'; readonly region: string; readonly ref: SecretRef }
  | { readonly kind: 'BatchGetSecretValue'; readonly region: string; readonly refs: readonly SecretRef[] };

/** The IAM action that each kind of request needs. */
export const iamActions = {
  GetParameters: 'ssm:GetParameters',
  GetSecretValue: 'secretsmanager:GetSecretValue',
  BatchGetSecretValue: 'secretsmanager:BatchGetSecretValue',
} as const satisfies Record<AwsRequest['kind'], string>;

/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html */
const PARAMETERS_PER_CALL = 10;

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html */
const SECRETS_PER_CALL = 20;

/** Before a pod has its files, or after. */
export type FetchPhase = 'start' | 'refresh';

/**
 * `auto` uses batches in refreshes, when a region has at least this many secrets.
 *
 * At the start secrets are read one by one: the quota is 10,000/s for single calls and 100/s for batches, which is 2,000
 * secrets/s. With batches, pods that start together, after a deployment or the loss of a zone, would be throttled (`npm run
 * herd`). A pod that starts alone takes longer with single calls, because each needs 1 ms of CPU: 21 ms more with 20 secrets, 43 with
 * 50; with a limit of 100m of CPU, 0.4 and 0.9 s.
 *
 * In refreshes, which are spread over the interval, the cost decides: 10 secrets every 10 minutes are 43,200 single calls or 0.22
 * USD per pod and month, 4,320 batch calls or 0.02 USD (0.05 USD per 10,000). A batch also saves 16 ms of CPU per refresh. With fewer
 * secrets, such as 5 (0.09 USD, 9 ms), it is not worth the AccessDenied that a role without `secretsmanager:BatchGetSecretValue`,
 * which no user of the CSI driver had to grant, leaves in CloudTrail. The milliseconds are of test/bench/few-secrets.ts.
 */
const MIN_BATCHED_SECRETS = 10;

/** The requests that fetch all of these refs, parameters first. */
export function requestsFor(
  refs: readonly SecretRef[],
  mode: FetchMode,
  phase: FetchPhase = 'refresh',
): readonly AwsRequest[] {
  const isBatched = (count: number): boolean =>
    mode === 'batch' || (mode === 'auto' && phase === 'refresh' && count >= MIN_BATCHED_SECRETS);
  const distinct = [...new Map(refs.map((ref) => [ref.key, ref])).values()];
  return [...Map.groupBy(distinct, (ref) => ref.region)].flatMap(([region, ofRegion]) => {
    const { ssmparameter = [], secretsmanager = [] } = Object.groupBy(ofRegion, (ref) => ref.service);
    return [...parameterRequests(region, ssmparameter), ...secretRequests(region, secretsmanager, isBatched)];
  });
}

/**
 * Each ref goes into the first call that has space. Two selectors of one parameter go into different calls: AWS documents neither
 * that it accepts them together nor how to distinguish the results.
 */
function parameterRequests(region: string, refs: readonly SecretRef[]): readonly AwsRequest[] {
  const calls: { readonly names: Set<string>; readonly refs: SecretRef[] }[] = [];
  for (const ref of refs) {
    const name = parameterName(ref.id);
    const open = calls.find((call) => call.refs.length < PARAMETERS_PER_CALL && !call.names.has(name));
    if (open === undefined) calls.push({ names: new Set([name]), refs: [ref] });
    else {
      open.names.add(name);
      open.refs.push(ref);
    }
  }
  return calls.map((call) => ({ kind: 'GetParameters', region, refs: call.refs }));
}

/** The parameter's name without a leading slash, for an id that is a name or an ARN. */
function parameterName(id: string): string {
  return id.replace(/^arn:[^:]*:ssm:[^:]*:[^:]*:parameter/, '').replace(/^\/+/, '');
}

/** A batch cannot request a version or a stage, and a batch of one has no advantage over a single call. */
function secretRequests(
  region: string,
  refs: readonly SecretRef[],
  isBatched: (count: number) => boolean,
): readonly AwsRequest[] {
  const pinned = refs.filter((ref) => ref.version !== undefined || ref.stage !== undefined);
  const current = refs.filter((ref) => !pinned.includes(ref));
  if (!isBatched(current.length)) return refs.map((ref) => ({ kind: 'GetSecretValue', region, ref }));
  const requests: AwsRequest[] = pinned.map((ref) => ({ kind: 'GetSecretValue', region, ref }));
  for (let at = 0; at < current.length; at += SECRETS_PER_CALL) {
    const [first, ...others] = current.slice(at, at + SECRETS_PER_CALL);
    if (first === undefined) continue;
    requests.push(
      others.length === 0
        ? { kind: 'GetSecretValue', region, ref: first }
        : { kind: 'BatchGetSecretValue', region, refs: [first, ...others] },
    );
  }
  return requests;
}

/** The parameter's name in a GetParameters request: `name`, `name:version` or `name:label`. */
export function fullParameterName(ref: SecretRef): string {
  const selector = ref.version ?? ref.stage;
  return selector === undefined ? ref.id : `${ref.id}:${selector}`;
}

/** The identifiers of one entry in a response. */
interface EntryIds {
  readonly name: string | undefined;
  readonly arn: string | undefined;
  /** Parameter Store: `:3` or `:label`, if a selector was requested. */
  readonly selector: string | undefined;
}

/** The identifiers as text. The SDK does not check the types of a response, so a value of another type counts as missing. */
export function entryIds(name: unknown, arn: unknown, selector?: unknown): EntryIds {
  return { name: textOf(name), arn: textOf(arn), selector: textOf(selector) };
}

/** The entry of a parameter: found by name and selector, else by ARN and selector. No call contains two selectors of one name. */
export function matchParameter<E extends EntryIds>(ref: SecretRef, entries: readonly E[]): E | undefined {
  const selector = ref.version ?? ref.stage;
  const candidates = entries.filter(
    (entry) => !entry.selector || entry.selector.replace(/^:/, '') === selector,
  );
  return (
    candidates.find((entry) => entry.name === ref.id || entry.name === fullParameterName(ref)) ??
    candidates.find((entry) => entry.arn === ref.id || entry.arn === fullParameterName(ref))
  );
}

/**
 * The entry of a secret: found by name or full ARN, else by an ARN without the suffix of a hyphen and six characters. If several
 * entries match such an ARN, none is returned.
 */
export function matchSecret<E extends EntryIds>(ref: SecretRef, entries: readonly E[]): E | undefined {
  const exact = entries.find((entry) => entry.name === ref.id || entry.arn === ref.id);
  if (exact !== undefined || !isArn(ref.id)) return exact;
  const partial = entries.filter(
    (entry) =>
      entry.arn?.startsWith(`${ref.id}-`) && /^[A-Za-z0-9]{6}$/.test(entry.arn.slice(ref.id.length + 1)),
  );
  return partial.length === 1 ? partial[0] : undefined;
}

/** Milliseconds until a denied batch is tried again: the permission may have been added. */
const RETRY_DENIED_BATCH = 3_600_000;

/** Why `--fetch auto` stops using batches after this failure, and for how long. Throttling is no reason: single calls would be 20 times as many. */
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
