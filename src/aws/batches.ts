/**
 * Reads become the requests that the APIs accept.
 *
 * The limits of the services stand here and nowhere else: how many values one call may ask for, and what cannot share a
 * call. Within a region batches are filled in the order in which reads come, whichever config they are of. Every read is in
 * exactly one request; a read that is given twice is asked for once.
 */

import type { FetchMode } from '../cli/options.ts';
import type { SecretRef } from '../config/secret-ref.ts';

/** One call, and the reads that it answers. */
export type AwsRequest =
  | { readonly kind: 'GetParameters'; readonly region: string; readonly reads: readonly SecretRef[] }
  | { readonly kind: 'GetSecretValue'; readonly region: string; readonly read: SecretRef }
  | { readonly kind: 'BatchGetSecretValue'; readonly region: string; readonly reads: readonly SecretRef[] };

/** What IAM must allow for each kind of request. */
export const iamActions = {
  GetParameters: 'ssm:GetParameters',
  GetSecretValue: 'secretsmanager:GetSecretValue',
  BatchGetSecretValue: 'secretsmanager:BatchGetSecretValue',
} as const satisfies Record<AwsRequest['kind'], string>;

/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html */
const PARAMETERS_PER_CALL = 10;

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html */
const SECRETS_PER_CALL = 20;

/**
 * From how many secrets of a region `auto` asks in batches. Below, single calls win: they are concurrent, so a round trip
 * is a round trip, their quota is 10,000 calls/s against 100, and a pod without `secretsmanager:BatchGetSecretValue`, which
 * no user of the CSI driver had to grant, leaves no AccessDenied in CloudTrail. From here on batches win: 10 secrets every
 * 10 minutes are 43,200 calls or 0.22 USD per pod and month singly, 4,320 calls or 0.02 USD in batches (0.05 USD per
 * 10,000), and one TLS handshake instead of ten.
 */
const BATCH_FROM = 10;

/** The requests for all of these reads, parameters first. */
export function batchReads(reads: readonly SecretRef[], mode: FetchMode): readonly AwsRequest[] {
  const distinct = [...new Map(reads.map((read) => [read.key, read])).values()];
  return [...Map.groupBy(distinct, (read) => read.region)].flatMap(([region, here]) => {
    const { ssmparameter = [], secretsmanager = [] } = Object.groupBy(here, (read) => read.service);
    return [...parameterRequests(region, ssmparameter), ...secretRequests(region, secretsmanager, mode)];
  });
}

/**
 * Into the first call that has room. Two selectors of one parameter go into different calls: AWS documents neither that it
 * accepts them together nor how to distinguish the answers.
 */
function parameterRequests(region: string, reads: readonly SecretRef[]): readonly AwsRequest[] {
  const calls: { readonly names: Set<string>; readonly reads: SecretRef[] }[] = [];
  for (const read of reads) {
    const name = parameterName(read.id);
    const open = calls.find((call) => call.reads.length < PARAMETERS_PER_CALL && !call.names.has(name));
    if (open === undefined) calls.push({ names: new Set([name]), reads: [read] });
    else {
      open.names.add(name);
      open.reads.push(read);
    }
  }
  return calls.map((call) => ({ kind: 'GetParameters', region, reads: call.reads }));
}

/** The parameter's name without the leading slash, by name or by ARN the same. */
function parameterName(id: string): string {
  return id.replace(/^arn:[^:]*:ssm:[^:]*:[^:]*:parameter/, '').replace(/^\/+/, '');
}

/** A batch cannot pin a version or a stage, and a batch of one has no merit over a single call. */
function secretRequests(region: string, reads: readonly SecretRef[], mode: FetchMode): readonly AwsRequest[] {
  const pinned = reads.filter((read) => read.version !== undefined || read.stage !== undefined);
  const current = reads.filter((read) => !pinned.includes(read));
  const batched = mode === 'batch' || (mode === 'auto' && current.length >= BATCH_FROM);
  if (!batched) return reads.map((read) => ({ kind: 'GetSecretValue', region, read }));
  const requests: AwsRequest[] = pinned.map((read) => ({ kind: 'GetSecretValue', region, read }));
  for (let at = 0; at < current.length; at += SECRETS_PER_CALL) {
    const [first, ...others] = current.slice(at, at + SECRETS_PER_CALL);
    if (first === undefined) continue;
    requests.push(
      others.length === 0
        ? { kind: 'GetSecretValue', region, read: first }
        : { kind: 'BatchGetSecretValue', region, reads: [first, ...others] },
    );
  }
  return requests;
}

/** `name`, `name:version` or `name:label`, as GetParameters is to be asked. */
export function fullParameterName(read: SecretRef): string {
  const selector = read.version ?? read.stage;
  return selector === undefined ? read.id : `${read.id}:${selector}`;
}
