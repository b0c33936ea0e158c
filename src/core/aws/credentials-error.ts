/**
 * Every way in which credentials fail, in words: the token, the Pod Identity agent, STS, the default chain.
 *
 * What the agent or STS will most likely get over by itself is worth another try: a node's agent starts after its first
 * pods, and IAM needs seconds to spread a change. Missing variables are not. The text of a token or of an answer is never
 * given to this room.
 */

import { Problem } from '../problem.ts';
import { printable } from '../text.ts';
import { type AwsFailure, bareCode } from './failure.ts';

/** Why a token could not be used; `code` is Node's error code. */
export type TokenFailure =
  | { readonly kind: 'unreadable'; readonly code: string }
  | { readonly kind: 'empty' }
  | { readonly kind: 'malformed' };

/** The Problem of a token file. A missing one is worth another try: the kubelet may still be writing it. */
export function tokenProblem(file: string, failure: TokenFailure): Problem {
  const got =
    failure.kind === 'empty'
      ? 'an empty file'
      : failure.kind === 'malformed'
        ? 'something that is not a token'
        : failure.code === 'ENOENT'
          ? 'no file'
          : failure.code;
  const forbidden = failure.kind === 'unreadable' && failure.code !== 'ENOENT';
  return new Problem({
    code: 'credentials.token',
    subject: printable(file),
    message: `expected the service account's token, got ${got}`,
    remedy: forbidden
      ? "Let the container's user read it: set securityContext.fsGroup, or runAsUser as the pod's other containers have it."
      : "Check that the token's volume is mounted in this container and that nothing is mounted over it.",
    retry: !forbidden,
  });
}

/** Pod Identity is asked for, and there is neither a variable nor a token of it. */
export function noPodIdentityProblem(): Problem {
  return new Problem({
    code: 'credentials.variables',
    subject: 'AWS_CONTAINER_CREDENTIALS_FULL_URI',
    message:
      'expected the variables and the token that EKS injects for Pod Identity, got neither: the pod was created without an association, or where Pod Identity does not exist (Fargate, Windows, outside EKS)',
    remedy:
      'Create the association for the namespace and service account and create the pod anew; on Fargate use IRSA, with usePodIdentity: "false".',
  });
}

/** What came of asking the Pod Identity agent. */
export type AgentFailure =
  | { readonly kind: 'unreachable'; readonly code: string }
  | { readonly kind: 'timeout'; readonly ms: number }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'answer' };

/** The Problem of the agent, at the addresses that were tried. */
export function agentProblem(addresses: readonly string[], failure: AgentFailure): Problem {
  const { got, remedy } = agentWords(failure);
  return new Problem({
    code: 'credentials.agent',
    subject: addresses.map((address) => printable(address)).join(', '),
    message: `expected credentials of the EKS Pod Identity agent, got ${got}`,
    remedy,
    retry: true,
  });
}

function agentWords(failure: AgentFailure): { readonly got: string; readonly remedy: string } {
  switch (failure.kind) {
    case 'unreachable':
      return {
        got: `no connection (${failure.code})`,
        remedy:
          'Check that the eks-pod-identity-agent add-on runs on this node and that no network policy bars it. On Fargate it does not exist: use IRSA.',
      };
    case 'timeout':
      return {
        got: `no answer within ${failure.ms} ms`,
        remedy: "Look at the eks-pod-identity-agent's log on this node: it may not reach the EKS Auth API.",
      };
    case 'answer':
      return {
        got: 'an answer without AccessKeyId, SecretAccessKey, Token and Expiration',
        remedy: 'Check that the address is the one of the agent.',
      };
    case 'status':
      return { got: `HTTP status ${failure.status}`, remedy: statusRemedy(failure.status) };
    default:
      return failure satisfies never;
  }
}

function statusRemedy(status: number): string {
  if (status === 404)
    return 'Create a Pod Identity association for the namespace and the service account. A new one takes a few seconds to work.';
  if (status === 429) return 'Wait: the EKS Auth API limits how often it is asked.';
  if (status >= 500) return "Wait, or look at the eks-pod-identity-agent's log on this node.";
  return "Check that the role trusts pods.eks.amazonaws.com for sts:AssumeRole and sts:TagSession, and that the pod's token is the agent's (audience pods.eks.amazonaws.com).";
}

/** The Problem of STS, for the role that was to be assumed. */
export function stsProblem(roleArn: string, region: string, failure: AwsFailure): Problem {
  const known = stsRemedies[bareCode(failure.code ?? '')] ?? stsRemedies[failure.kind];
  const got =
    failure.code ?? (failure.status === undefined ? 'no credentials' : `HTTP status ${failure.status}`);
  return new Problem({
    code: 'credentials.sts',
    subject: printable(roleArn),
    message: `expected sts:AssumeRoleWithWebIdentity in ${printable(region)} to give credentials for the service account's token, got ${got}${
      failure.requestId === undefined ? '' : `, request id ${failure.requestId}`
    }`,
    remedy: known?.remedy ?? 'Correct the role ARN in the annotation of the service account.',
    retry: known?.retry ?? false,
    ...(failure.retryAfter === undefined ? {} : { retryAfter: failure.retryAfter }),
  });
}

interface Advice {
  readonly remedy: string;
  readonly retry: boolean;
}

/** By AWS's bare code, and else by the kind of the failure. */
const stsRemedies: Readonly<Record<string, Advice>> = {
  InvalidIdentityToken: {
    remedy:
      "Create an IAM OIDC identity provider for the cluster's issuer, with the audience sts.amazonaws.com, in the account of the role.",
    retry: true,
  },
  ExpiredToken: {
    remedy: "Check that the kubelet renews the token file, and the node's clock.",
    retry: true,
  },
  AccessDenied: {
    remedy:
      "Let the role's trust policy allow sts:AssumeRoleWithWebIdentity to the cluster's OIDC provider for this namespace and service account. A new policy takes a few seconds to work.",
    retry: true,
  },
  IDPCommunication: {
    remedy: "Wait: STS could not reach the cluster's OIDC issuer. Check that the issuer's URL is public.",
    retry: true,
  },
  IDPRejectedClaim: {
    remedy: "Check the token's audience and subject against the conditions of the role's trust policy.",
    retry: false,
  },
  RegionDisabled: { remedy: 'Activate STS for this region in the account settings of IAM.', retry: false },
  denied: { remedy: "Check the role's trust policy.", retry: true },
  expired: { remedy: "Check that the kubelet renews the token file, and the node's clock.", retry: true },
  throttled: { remedy: 'Wait: STS limits how often it is asked.', retry: true },
  server: { remedy: 'Wait: the fault is on the side of AWS.', retry: true },
  network: {
    remedy:
      'Check the network to STS in this region, HTTPS_PROXY, AWS_CA_BUNDLE, AWS_ENDPOINT_URL_STS; private clusters need a VPC endpoint for STS.',
    retry: true,
  },
  answer: {
    remedy: 'Check what answers at the endpoint: a proxy, a VPC endpoint, or AWS_ENDPOINT_URL_STS.',
    retry: true,
  },
};

/** STS did not say whose credentials they are, in a region. */
export function identityProblem(region: string, failure: AwsFailure): Problem {
  const got =
    failure.code ?? (failure.status === undefined ? 'no identity' : `HTTP status ${failure.status}`);
  const refused = failure.kind === 'expired';
  return new Problem({
    code: refused ? 'credentials.expired' : 'credentials.sts',
    subject: `STS in ${printable(region)}`,
    message: `expected sts:GetCallerIdentity to name the identity, got ${got}`,
    remedy: refused
      ? "Check the node's clock, and that the keys are still in use."
      : 'To read values it is not needed. To see the identity, give the pod a way to STS: a VPC endpoint, or AWS_ENDPOINT_URL_STS.',
    retry: true,
  });
}

/** The SDK's default chain found nothing, or what it found did not work. */
export function chainProblem(): Problem {
  return new Problem({
    code: 'credentials.chain',
    subject: 'AWS credentials',
    message:
      "expected the SDK's default chain to find some, got none: neither IRSA's nor Pod Identity's variables are set, and no keys, profile or task role works",
    remedy:
      'In EKS, give the service account a Pod Identity association or an IRSA role and create the pod anew. Elsewhere set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
    retry: true,
  });
}

/** Credentials arrived that were no longer valid. */
export function expiredProblem(source: string, secondsAgo: number): Problem {
  return new Problem({
    code: 'credentials.expired',
    subject: source,
    message: `expected valid credentials, got some that expired ${secondsAgo} s ago`,
    remedy: "Check the node's clock. The agent or STS gives new ones when it is asked again.",
    retry: true,
  });
}
