/**
 * Errors of the EKS Pod Identity agent, as Problems.
 *
 * The agent's error responses are plain text: `[request id]: (Code): message, fault: client` when the EKS Auth API rejected the
 * request, a sentence when the agent itself did. Only the code and the request id are read, if they have the expected form, and a
 * few known sentences; any other text may contain a secret. One HTTP status comes with several codes, so the code decides the
 * message and whether a retry can help.
 */

import { durationText } from '../cli/values.ts';
import { isOpenFilesCode, OPEN_FILES_REMEDY } from '../core/open-files.ts';
import { Problem } from '../core/problem.ts';
import { escapeControl } from '../core/text.ts';
import { IAM_PROPAGATION, normalizeCode } from './error-facts.ts';

/** Why a request for credentials over HTTP failed. */
export type AgentFailure =
  | { readonly kind: 'unreachable'; readonly code: string }
  | { readonly kind: 'timeout'; readonly ms: number }
  /** `body`: the response text; it is never printed. */
  | { readonly kind: 'rejected'; readonly status: number; readonly body: string }
  /** Status 200, but the body does not contain credentials. */
  | { readonly kind: 'response' };

/** What the user can do, and whether a retry can help. */
export interface Advice {
  readonly remedy: string;
  readonly retry: boolean;
  /** Milliseconds; see ProblemFields. */
  readonly retryFor?: number;
}

/** The Problem of a failed request to the agent; `addresses` are the URLs that were tried. */
export function agentProblem(addresses: readonly string[], failure: AgentFailure): Problem {
  return new Problem({
    code: 'credentials.agent',
    subject: addresses.map((address) => escapeControl(address)).join(', '),
    message: `expected credentials from the EKS Pod Identity agent, got ${agentFailureText(failure)}`,
    ...adviceOf(failure),
  });
}

/** A phrase for messages: what came instead of credentials. */
export function agentFailureText(failure: AgentFailure): string {
  switch (failure.kind) {
    case 'unreachable':
      return `no connection (${failure.code})`;
    case 'timeout':
      return `no response within ${durationText(failure.ms)}`;
    case 'response':
      return 'a response without valid AccessKeyId, SecretAccessKey, Token and Expiration';
    case 'rejected': {
      const { code, requestId, known } = readRejection(failure.body);
      const status = `HTTP status ${failure.status}`;
      if (known !== undefined) return `${status}: ${known.text}`;
      const id = requestId === undefined ? '' : `, request id ${requestId}`;
      return code === undefined ? status : `${code} (${status}${id})`;
    }
    default:
      return failure satisfies never;
  }
}

const OTHER_SERVER: Advice = { remedy: 'Check that the address is that of the agent.', retry: true };

function adviceOf(failure: AgentFailure): Advice {
  switch (failure.kind) {
    case 'unreachable':
      if (isOpenFilesCode(failure.code)) return { remedy: OPEN_FILES_REMEDY, retry: true };
      return {
        remedy:
          'Check that the eks-pod-identity-agent add-on runs on this node and that no network policy blocks it. Fargate has no agent: use IRSA there.',
        retry: true,
      };
    case 'timeout':
      return {
        remedy:
          'Check the log of the eks-pod-identity-agent on this node: it may be unable to reach the EKS Auth API.',
        retry: true,
      };
    case 'response':
      return OTHER_SERVER;
    case 'rejected': {
      const { code, known } = readRejection(failure.body);
      // The agent neither redirects nor sends an empty success.
      if (failure.status < 400) return OTHER_SERVER;
      return known ?? byCode[normalizeCode(code ?? '')] ?? byStatus(failure.status);
    }
    default:
      return failure satisfies never;
  }
}

interface AgentRejection {
  readonly code: string | undefined;
  readonly requestId: string | undefined;
  readonly known: (Advice & { readonly text: string }) | undefined;
}

/** A UUID and an AWS error code. */
const EKS_AUTH_ERROR = /^\s*\[([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})\]: \(([A-Z][A-Za-z]{2,60})\): /i;

function readRejection(body: string): AgentRejection {
  const [, requestId, code] = EKS_AUTH_ERROR.exec(body) ?? [];
  return { code, requestId, known: knownSentences.find(({ pattern }) => pattern.test(body)) };
}

const FRESH_TOKEN =
  "Check that the kubelet renews the token file, and the node's clock: the token in the file has expired.";
const RIGHT_TOKEN =
  'Check the token file: EKS mounts one with the audience pods.eks.amazonaws.com into every pod that is created after its association.';
const THROTTLED = 'Wait: the EKS Auth API throttles requests.';
const WAIT = 'Wait, or check the log of the eks-pod-identity-agent on this node.';

/** Errors of the agent itself, before it calls the EKS Auth API. */
const knownSentences: readonly (Advice & { readonly pattern: RegExp; readonly text: string })[] = [
  {
    pattern: /^\s*Service account token failed basic claim validations: token is expired/i,
    text: "the service account's token has expired",
    remedy: FRESH_TOKEN,
    retry: true,
    retryFor: IAM_PROPAGATION,
  },
  {
    pattern: /^\s*Service account token failed basic claim validations/i,
    text: "the claims of the service account's token are not accepted",
    remedy: RIGHT_TOKEN,
    retry: false,
  },
  {
    pattern: /^\s*Service account token cannot be (parsed|empty)/i,
    text: "the service account's token cannot be parsed",
    remedy: RIGHT_TOKEN,
    retry: false,
  },
  {
    pattern: /^\s*fetched credentials are expired or will expire within \d+ \w+/i,
    text: 'the credentials that it fetched have expired or expire soon',
    remedy: `Check the node's clock. ${WAIT}`,
    retry: true,
  },
];

/** By the error code of the EKS Auth API, normalized (see `normalizeCode`). */
const byCode: Readonly<Record<string, Advice>> = {
  AccessDenied: {
    remedy:
      "Let the role's trust policy allow sts:AssumeRole and sts:TagSession to pods.eks.amazonaws.com. A new policy takes a few seconds to take effect.",
    retry: true,
    retryFor: IAM_PROPAGATION,
  },
  ExpiredToken: { remedy: FRESH_TOKEN, retry: true, retryFor: IAM_PROPAGATION },
  InvalidToken: { remedy: RIGHT_TOKEN, retry: false },
  InvalidParameter: { remedy: RIGHT_TOKEN, retry: false },
  InvalidRequest: { remedy: RIGHT_TOKEN, retry: false },
  ResourceNotFound: {
    remedy:
      'Create a Pod Identity association for the namespace and the service account, in this cluster. A new one takes a few seconds to take effect.',
    retry: true,
    retryFor: IAM_PROPAGATION,
  },
  Throttling: { remedy: THROTTLED, retry: true },
  TooManyRequests: { remedy: THROTTLED, retry: true },
  InternalServer: { remedy: WAIT, retry: true },
  ServiceUnavailable: { remedy: WAIT, retry: true },
};

/** For a response without a code: it is not from the EKS Auth API, or has an unknown form. */
function byStatus(status: number): Advice {
  if (status === 429) return { remedy: THROTTLED, retry: true };
  if (status >= 500) return { remedy: WAIT, retry: true };
  const remedy =
    status === 404
      ? 'Create a Pod Identity association for the namespace and the service account, and check that the address is that of the agent. A new association takes a few seconds to take effect.'
      : "Check the log of the eks-pod-identity-agent on this node, the association, the role's trust policy and the token file.";
  return { remedy, retry: true, retryFor: IAM_PROPAGATION };
}
