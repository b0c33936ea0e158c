/**
 * How credentials fail, in words: the token, STS, keys that expired. The agent and the default chain have files of their own.
 *
 * What passes by itself is worth another try, and what IAM may not have spread yet for some seconds. Missing variables are
 * not. The text of a token is never given to this file.
 */

import { Problem } from '../core/problem.ts';
import { escapeControl } from '../core/text.ts';
import type { Advice } from './agent-error.ts';
import { type AwsErrorFacts, IAM_SPREADS, normalizeCode, peerText } from './error-facts.ts';
import { keysRemedy } from './fetch-problems.ts';

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
    subject: escapeControl(file),
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
      'Create the association for the namespace and service account and recreate the pod; on Fargate use IRSA, with usePodIdentity: "false".',
  });
}

/** The Problem of STS, for the role that was to be assumed. */
export function stsProblem(roleArn: string, region: string, failure: AwsErrorFacts): Problem {
  const advice = stsAdvice(failure);
  const got =
    failure.code ?? (failure.status === undefined ? 'no credentials' : `HTTP status ${failure.status}`);
  return new Problem({
    code: 'credentials.sts',
    subject: escapeControl(roleArn),
    message: `expected sts:AssumeRoleWithWebIdentity in ${escapeControl(region)} to give credentials for the service account's token, got ${got}${peerText(failure)}${
      failure.requestId === undefined ? '' : `, request id ${failure.requestId}`
    }`,
    ...advice,
    ...(failure.retryAfter === undefined ? {} : { retryAfter: failure.retryAfter }),
  });
}

function stsAdvice(failure: AwsErrorFacts): Advice {
  const code = normalizeCode(failure.code ?? '');
  if (code === 'InvalidIdentityToken') return tokenAdvice(failure.message ?? '');
  return (
    stsRemedies[code] ??
    stsRemedies[failure.kind] ?? {
      remedy: 'Correct the role ARN in the annotation of the service account.',
      retry: false,
    }
  );
}

/** One code for all that can be wrong with a token; AWS's sentence says which. */
function tokenAdvice(message: string): Advice {
  if (/not a valid JWT|malformed|missing a required claim/i.test(message))
    return {
      remedy: "Check the token file: STS cannot read a service account's token in it.",
      retry: false,
    };
  if (/audience/i.test(message))
    return {
      remedy:
        'Give the token the audience sts.amazonaws.com, or add its audience to the IAM OIDC identity provider.',
      retry: false,
    };
  if (/verification key/i.test(message))
    return {
      remedy: "Wait: STS could not read the keys of the cluster's OIDC issuer. Check that its URL is public.",
      retry: true,
    };
  return {
    remedy:
      "Create an IAM OIDC identity provider for the cluster's issuer, with the audience sts.amazonaws.com, in the account of the role.",
    retry: true,
    retryFor: IAM_SPREADS,
  };
}

/** By AWS's bare code, and else by the kind of the failure. */
const stsRemedies: Readonly<Record<string, Advice>> = {
  ExpiredToken: {
    remedy: "Check that the kubelet renews the token file, and the node's clock.",
    retry: true,
    retryFor: IAM_SPREADS,
  },
  AccessDenied: {
    remedy:
      "Let the role's trust policy allow sts:AssumeRoleWithWebIdentity to the cluster's OIDC provider for this namespace and service account. A new policy takes a few seconds to work.",
    retry: true,
    retryFor: IAM_SPREADS,
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
  denied: { remedy: "Check the role's trust policy.", retry: true, retryFor: IAM_SPREADS },
  expired: {
    remedy: "Check that the kubelet renews the token file, and the node's clock.",
    retry: true,
    retryFor: IAM_SPREADS,
  },
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
export function identityProblem(region: string, failure: AwsErrorFacts): Problem {
  const got =
    failure.code ?? (failure.status === undefined ? 'no identity' : `HTTP status ${failure.status}`);
  const subject = `STS in ${escapeControl(region)}`;
  if (failure.kind === 'refused')
    return new Problem({
      code: 'credentials.refused',
      subject,
      message: `expected sts:GetCallerIdentity to accept the keys, got ${got}`,
      remedy: keysRemedy(failure),
      retry: false,
    });
  const expired = failure.kind === 'expired';
  return new Problem({
    code: expired ? 'credentials.expired' : 'credentials.sts',
    subject,
    message: `expected sts:GetCallerIdentity to name the identity, got ${got}${peerText(failure)}`,
    remedy: expired
      ? "Check the node's clock: the credentials count as expired, also new ones."
      : 'To read values it is not needed. To see the identity, give the pod a way to STS: a VPC endpoint, or AWS_ENDPOINT_URL_STS.',
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
