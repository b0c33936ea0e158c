/**
 * Errors of credentials, as Problems: the token, STS, expired keys. `agent-problems.ts`, `chain-problems.ts` and
 * `profile-problems.ts` have those of the agent and of the default chain.
 *
 * Transient errors are retried, and for some seconds those that a recent IAM change may explain. Missing variables are permanent.
 * No function here takes the text of a token.
 */

import { isOpenFilesCode, OPEN_FILES_REMEDY } from '../core/open-files.ts';
import { Problem } from '../core/problem.ts';
import { escapeControl } from '../core/text.ts';
import type { Advice } from './agent-problems.ts';
import { type AwsErrorFacts, gotText, IAM_PROPAGATION, normalizeCode, peerText } from './error-facts.ts';
import { keysRemedy } from './fetch-problems.ts';
import { networkRemedy } from './network-problems.ts';

/** Why a token could not be used; `code` is Node's error code. */
export type TokenFailure =
  | { readonly kind: 'unreadable'; readonly code: string }
  | { readonly kind: 'empty' }
  | { readonly kind: 'malformed' };

/**
 * The Problem of a token file. It is permanent: the kubelet mounts the volume with the token before a container starts, and
 * replaces the file by one rename, so that a missing or an empty file means a wrong pod spec.
 */
export function tokenProblem(file: string, failure: TokenFailure): Problem {
  const got =
    failure.kind === 'empty'
      ? 'an empty file'
      : failure.kind === 'malformed'
        ? 'text that is not a token'
        : failure.code === 'ENOENT'
          ? 'no file'
          : failure.code;
  const unreadable = failure.kind === 'unreadable' && failure.code !== 'ENOENT';
  return new Problem({
    code: 'credentials.token',
    subject: escapeControl(file),
    message: `expected the service account's token, got ${got}`,
    remedy: unreadable ? unreadableRemedy(failure.code) : MOUNT_REMEDY,
    retry: failure.kind === 'unreadable' && isOpenFilesCode(failure.code),
  });
}

const MOUNT_REMEDY =
  "Check that the token's volume is mounted in this container and that nothing is mounted over it.";

function unreadableRemedy(code: string): string {
  if (isOpenFilesCode(code)) return OPEN_FILES_REMEDY;
  if (code === 'EACCES' || code === 'EPERM')
    return "Let the container's user read it: set securityContext.fsGroup, or the same runAsUser as the pod's other containers.";
  // An error of the volume, such as EIO; all other texts name the kind of file that is there.
  return /^E[A-Z]+$/.test(code)
    ? MOUNT_REMEDY
    : "Name a regular file: the kubelet's token, of the volume that EKS injects. Check the variable that names it, and that nothing is mounted over it.";
}

/** Pod Identity is configured, but neither its variables nor its token are there. */
export function noPodIdentityProblem(): Problem {
  return new Problem({
    code: 'credentials.variables',
    subject: 'AWS_CONTAINER_CREDENTIALS_FULL_URI',
    message:
      'expected the variables and the token that EKS injects for Pod Identity, got neither: the pod was created before its association, or runs where Pod Identity is not available (Fargate, Windows, outside EKS)',
    remedy:
      'Create the association for the namespace and service account and recreate the pod; on Fargate use IRSA, with usePodIdentity: "false".',
  });
}

/** STS returned no credentials for the role. */
export function stsProblem(roleArn: string, region: string, failure: AwsErrorFacts): Problem {
  const advice = stsAdvice(failure);
  const got = gotText(failure, 'incomplete response', peerText(failure));
  return new Problem({
    code: 'credentials.sts',
    subject: escapeControl(roleArn),
    message: `sts:AssumeRoleWithWebIdentity in ${escapeControl(region)} returned no credentials for the service account's token (${got})`,
    ...advice,
    retryAfter: failure.retryAfter,
  });
}

function stsAdvice(failure: AwsErrorFacts): Advice {
  const code = normalizeCode(failure.code ?? '');
  if (code === 'InvalidIdentityToken') return tokenAdvice(failure.message ?? '');
  const remedy = failure.kind === 'network' ? networkRemedy(failure) : undefined;
  if (remedy !== undefined) return { remedy, retry: true };
  return (
    stsRemedies[code] ??
    stsRemedies[failure.kind] ?? {
      remedy: 'Correct the role ARN in the annotation of the service account.',
      retry: false,
    }
  );
}

/** AWS has one code for everything that can be wrong with a token; its message names the reason. */
function tokenAdvice(message: string): Advice {
  if (/not a valid JWT|malformed|missing a required claim/i.test(message))
    return {
      remedy: 'Check the token file: STS cannot parse its content as a service account token.',
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
    retryFor: IAM_PROPAGATION,
  };
}

/** By AWS's normalized code, else by the kind of the failure. */
const stsRemedies: Readonly<Record<string, Advice>> = {
  ExpiredToken: {
    remedy: "Check that the kubelet renews the token file, and the node's clock.",
    retry: true,
    retryFor: IAM_PROPAGATION,
  },
  AccessDenied: {
    remedy:
      "Let the role's trust policy allow sts:AssumeRoleWithWebIdentity to the cluster's OIDC provider for this namespace and service account. A new policy takes a few seconds to take effect.",
    retry: true,
    retryFor: IAM_PROPAGATION,
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
  denied: { remedy: "Check the role's trust policy.", retry: true, retryFor: IAM_PROPAGATION },
  expired: {
    remedy: "Check that the kubelet renews the token file, and the node's clock.",
    retry: true,
    retryFor: IAM_PROPAGATION,
  },
  throttled: { remedy: 'Wait: STS throttles requests.', retry: true },
  server: { remedy: 'Wait: the fault is on the AWS side.', retry: true },
  network: {
    remedy:
      'Check the network to STS in this region, HTTPS_PROXY, AWS_CA_BUNDLE, AWS_ENDPOINT_URL_STS; private clusters need a VPC endpoint for STS.',
    retry: true,
  },
  response: {
    remedy: 'Check what responds at the endpoint: a proxy, a VPC endpoint, or AWS_ENDPOINT_URL_STS.',
    retry: true,
  },
};

/** STS did not return the identity of the credentials. */
export function identityProblem(region: string, failure: AwsErrorFacts): Problem {
  const got = gotText(failure, 'incomplete response', peerText(failure));
  const subject = `STS in ${escapeControl(region)}`;
  if (failure.kind === 'rejected')
    return new Problem({
      code: 'credentials.rejected',
      subject,
      message: `sts:GetCallerIdentity rejected the access key (${got})`,
      remedy: keysRemedy(failure),
      retry: false,
    });
  const expired = failure.kind === 'expired';
  return new Problem({
    code: expired ? 'credentials.expired' : 'credentials.sts',
    subject,
    message: `sts:GetCallerIdentity failed (${got})`,
    remedy: expired
      ? "Check the node's clock: AWS rejects even new credentials as expired."
      : 'Fetching secrets does not need this call. To see the identity, make STS reachable from the pod: through a VPC endpoint, or with AWS_ENDPOINT_URL_STS.',
    retry: true,
  });
}

/** The source returned credentials that had already expired. */
export function expiredProblem(source: string, secondsAgo: number): Problem {
  return new Problem({
    code: 'credentials.expired',
    subject: source,
    message: `expected valid credentials, got credentials that expired ${secondsAgo} s ago`,
    remedy: "Check the node's clock. The next request to the agent or STS returns new ones.",
    retry: true,
  });
}
