/**
 * The AWS account that all pods share: a token bucket for each quota, and whether the region is available.
 *
 * Sources of the rates, per account and region:
 * - Secrets Manager quotas (docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html): GetSecretValue and
 *   DescribeSecret together 10,000/s, BatchGetSecretValue 100/s.
 * - Systems Manager quotas (docs.aws.amazon.com/general/latest/gr/ssm.html): GetParameter and GetParameters together 40/s by
 *   default, 1,000/s for GetParameters with higher throughput.
 * - STS quotas (docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html): 600/s for the calls that are signed with
 *   credentials, AssumeRole among them. AssumeRoleWithWebIdentity is not signed and not in that list; the same rate is assumed.
 * - EKS publishes no rate for AssumeRoleForPodIdentity, which the Pod Identity agent calls once for each pod
 *   (github.com/aws/eks-pod-identity-agent, internal/credsretriever/refreshing_cache.go; its --max-service-qps limits renewals only).
 *   Users report throttling in large starts (issues 50, 97 and 171 there). 500/s is assumed.
 *
 * The run shows the results for a tenth, half and double of what is assumed.
 */

import type { Simulation } from './simulation.ts';

export type Operation =
  | 'GetSecretValue'
  | 'DescribeSecret'
  | 'BatchGetSecretValue'
  | 'GetParameters'
  | 'AssumeRoleWithWebIdentity'
  | 'AssumeRoleForPodIdentity';

export type CallResult = 'ok' | 'throttled' | 'unavailable';

/** Calls per second. */
export type Quotas = Readonly<Record<Exclude<Operation, 'DescribeSecret'>, number>>;

export const defaultQuotas: Quotas = {
  GetSecretValue: 10_000,
  BatchGetSecretValue: 100,
  GetParameters: 40,
  AssumeRoleWithWebIdentity: 600,
  AssumeRoleForPodIdentity: 500,
};

export interface Account {
  /** Calls back after the latency of a call. */
  call(operation: Operation, done: (result: CallResult) => void): void;
  /** Calls so far, and those that were rejected for their rate. */
  readonly counts: {
    readonly calls: Map<Operation, number>;
    throttled: number;
    /** Calls of Secrets Manager in each second. */
    readonly seconds: Map<number, number>;
  };
}

/** Milliseconds from the request to its response, within a region. */
const LATENCY = 20;

/** `isAvailable`: whether the region is available at a time. A bucket holds the calls of one second. */
export function createAccount(
  simulation: Simulation,
  quotas: Quotas,
  isAvailable: (now: number) => boolean = () => true,
): Account {
  const buckets = new Map<Operation, { tokens: number; at: number }>();
  const counts: Account['counts'] = { calls: new Map(), throttled: 0, seconds: new Map() };

  function take(operation: Operation): boolean {
    const shared = operation === 'DescribeSecret' ? 'GetSecretValue' : operation;
    const rate = quotas[shared];
    const now = simulation.now();
    const bucket = buckets.get(shared) ?? { tokens: rate, at: now };
    bucket.tokens = Math.min(rate, bucket.tokens + ((now - bucket.at) / 1000) * rate);
    bucket.at = now;
    buckets.set(shared, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  return {
    counts,
    call(operation, done) {
      counts.calls.set(operation, (counts.calls.get(operation) ?? 0) + 1);
      const second = Math.floor(simulation.now() / 1000);
      if (isOfSecretsManager(operation)) counts.seconds.set(second, (counts.seconds.get(second) ?? 0) + 1);
      simulation.after(LATENCY, () => {
        if (!isAvailable(simulation.now())) return done('unavailable');
        if (take(operation)) return done('ok');
        counts.throttled++;
        done('throttled');
      });
    },
  };
}

export function isOfSecretsManager(operation: Operation): boolean {
  return operation === 'GetSecretValue' || operation === 'BatchGetSecretValue';
}
