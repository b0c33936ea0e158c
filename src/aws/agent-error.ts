/**
 * What the EKS Pod Identity agent answers instead of credentials, and what to do about it.
 *
 * The agent answers in plain text: `[request id]: (Code): message, fault: client` for what the EKS Auth API refused, a
 * sentence for what it refused itself. Only the code and the request id are taken from it, each by its form, and the few
 * sentences that are known: any other text may hold what nobody may read. The same status comes with several codes, so the
 * code decides what is said, and whether trying again can help.
 */

import { Problem } from '../core/problem.ts';
import { escapeControl } from '../core/text.ts';
import { IAM_SPREADS, normalizeCode } from './error-facts.ts';

/** What came of asking for credentials over HTTP. */
export type AgentFailure =
  | { readonly kind: 'unreachable'; readonly code: string }
  | { readonly kind: 'timeout'; readonly ms: number }
  /** `body`: the answer's text; it is never printed. */
  | { readonly kind: 'refused'; readonly status: number; readonly body: string }
  /** Not credentials, with a status of success. */
  | { readonly kind: 'answer' };

/** Why there are no credentials, as a phrase, what to do about it, and whether it may pass. */
export interface Advice {
  readonly remedy: string;
  readonly retry: boolean;
  /** Milliseconds; see ProblemFields. */
  readonly retryFor?: number;
}

/** The Problem of the agent, at the addresses that were tried. */
export function agentProblem(addresses: readonly string[], failure: AgentFailure): Problem {
  return new Problem({
    code: 'credentials.agent',
    subject: addresses.map((address) => escapeControl(address)).join(', '),
    message: `expected credentials of the EKS Pod Identity agent, got ${agentFailureText(failure)}`,
    ...adviceOf(failure),
  });
}

/** What was got instead of credentials. */
export function agentFailureText(failure: AgentFailure): string {
  switch (failure.kind) {
    case 'unreachable':
      return `no connection (${failure.code})`;
    case 'timeout':
      return `no answer within ${failure.ms} ms`;
    case 'answer':
      return 'an answer without AccessKeyId, SecretAccessKey, Token and Expiration';
    case 'refused': {
      const { code, requestId, own } = readRefusal(failure.body);
      const status = `HTTP status ${failure.status}`;
      if (own !== undefined) return `${status}: ${own.text}`;
      const id = requestId === undefined ? '' : `, request id ${requestId}`;
      return code === undefined ? status : `${code} (${status}${id})`;
    }
    default:
      return failure satisfies never;
  }
}

function adviceOf(failure: AgentFailure): Advice {
  switch (failure.kind) {
    case 'unreachable':
      return {
        remedy:
          'Check that the eks-pod-identity-agent add-on runs on this node and that no network policy bars it. On Fargate it does not exist: use IRSA.',
        retry: true,
      };
    case 'timeout':
      return {
        remedy: "Look at the eks-pod-identity-agent's log on this node: it may not reach the EKS Auth API.",
        retry: true,
      };
    case 'answer':
      return { remedy: 'Check that the address is the one of the agent.', retry: true };
    case 'refused': {
      const { code, own } = readRefusal(failure.body);
      return own ?? byCode[normalizeCode(code ?? '')] ?? byStatus(failure.status);
    }
    default:
      return failure satisfies never;
  }
}

interface Refusal {
  readonly code: string | undefined;
  readonly requestId: string | undefined;
  readonly own: (Advice & { readonly text: string }) | undefined;
}

/** A UUID and a code of AWS; nothing else fits. */
const REFUSED_BY_EKS = /^\s*\[([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})\]: \(([A-Z][A-Za-z]{2,60})\): /i;

function readRefusal(body: string): Refusal {
  const [, requestId, code] = REFUSED_BY_EKS.exec(body) ?? [];
  return { code, requestId, own: ownSentences.find(({ begins }) => begins.test(body)) };
}

const FRESH_TOKEN =
  "Check that the kubelet renews the token file, and the node's clock: the token that the file holds has expired.";
const RIGHT_TOKEN =
  'Check the token file: EKS mounts one with the audience pods.eks.amazonaws.com into every pod that is created after its association.';
const WAIT = "Wait, or look at the eks-pod-identity-agent's log on this node.";

/** What the agent itself says, before it asks anybody. */
const ownSentences: readonly (Advice & { readonly begins: RegExp; readonly text: string })[] = [
  {
    begins: /^\s*Service account token failed basic claim validations: token is expired/i,
    text: "the service account's token has expired",
    remedy: FRESH_TOKEN,
    retry: true,
    retryFor: IAM_SPREADS,
  },
  {
    begins: /^\s*Service account token failed basic claim validations/i,
    text: "the claims of the service account's token are not accepted",
    remedy: RIGHT_TOKEN,
    retry: false,
  },
  {
    begins: /^\s*Service account token cannot be (parsed|empty)/i,
    text: "the service account's token cannot be parsed",
    remedy: RIGHT_TOKEN,
    retry: false,
  },
  {
    begins: /^\s*fetched credentials are expired or will expire within \d+ \w+/i,
    text: 'the credentials that it fetched have expired or are about to',
    remedy: `Check the node's clock. ${WAIT}`,
    retry: true,
  },
];

/** By the code of the EKS Auth API, without what it may have at its end. */
const byCode: Readonly<Record<string, Advice>> = {
  AccessDenied: {
    remedy:
      "Let the role's trust policy allow sts:AssumeRole and sts:TagSession to pods.eks.amazonaws.com. A new policy takes a few seconds to work.",
    retry: true,
    retryFor: IAM_SPREADS,
  },
  ExpiredToken: { remedy: FRESH_TOKEN, retry: true, retryFor: IAM_SPREADS },
  InvalidToken: { remedy: RIGHT_TOKEN, retry: false },
  InvalidParameter: { remedy: RIGHT_TOKEN, retry: false },
  InvalidRequest: { remedy: RIGHT_TOKEN, retry: false },
  ResourceNotFound: {
    remedy:
      'Create a Pod Identity association for the namespace and the service account, in this cluster. A new one takes a few seconds to work.',
    retry: true,
    retryFor: IAM_SPREADS,
  },
  Throttling: { remedy: 'Wait: the EKS Auth API limits how often it is asked.', retry: true },
  TooManyRequests: { remedy: 'Wait: the EKS Auth API limits how often it is asked.', retry: true },
  InternalServer: { remedy: WAIT, retry: true },
  ServiceUnavailable: { remedy: WAIT, retry: true },
};

/** For an answer without a code: not from the EKS Auth API, or of a form that is not known. */
function byStatus(status: number): Advice {
  if (status < 400)
    return {
      remedy:
        'Check what listens at the address of AWS_CONTAINER_CREDENTIALS_FULL_URI: the agent answers with 200 or an error, never with this status.',
      retry: true,
      retryFor: IAM_SPREADS,
    };
  if (status === 429) return { remedy: 'Wait: the EKS Auth API limits how often it is asked.', retry: true };
  if (status >= 500) return { remedy: WAIT, retry: true };
  const remedy =
    status === 404
      ? 'Create a Pod Identity association for the namespace and the service account, and check that the address is the one of the agent. A new association takes a few seconds to work.'
      : "Look at the eks-pod-identity-agent's log on this node. Check the association, the role's trust policy and the token file.";
  return { remedy, retry: true, retryFor: IAM_SPREADS };
}
