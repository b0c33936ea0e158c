/**
 * Converts an error response of the Kubernetes API server to a Problem.
 *
 * A 403 names the RBAC rule to add, a conflict the managers of the fields, a 422 the fields. The server's message is shown only if
 * it contains none of the values that were sent, because admission policies write their own messages.
 */

import { Problem, type ProblemCode } from '../core/problem.ts';
import { escapeControl, quote } from '../core/text.ts';
import { asObject } from '../core/unknown.ts';
import { ruleText } from './rbac.ts';

/** The verb of RBAC. */
type Verb = 'get' | 'patch' | 'delete';

/** A request to the API server. */
export interface KubernetesRequest {
  readonly verb: Verb;
  /** How a patch changes the object; default: server-side apply, which fails on a conflict. */
  readonly patch?: 'apply' | 'forcedApply' | 'merge';
  readonly group: '' | 'apps' | 'batch';
  /** Plural, as in the API's paths. */
  readonly resource: 'secrets' | 'pods' | 'replicasets' | 'jobs';
  readonly name: string;
  readonly namespace: string;
  /** Whether a text quotes a value that was sent. */
  readonly quotesValue?: (text: string) => boolean;
}

/** A response of the API server. */
export interface KubernetesResponse {
  readonly status: number;
  /** The parsed body; undefined if it is not JSON. */
  readonly body: unknown;
  /** Milliseconds. */
  readonly retryAfter: number | undefined;
}

/** The Problem of a response that is not a success. */
export function toProblem(request: KubernetesRequest, response: KubernetesResponse): Problem {
  const status = parseStatus(response.body);
  const message = shownMessage(request, status);
  switch (response.status) {
    case 401:
      return problem(
        request,
        'kubernetes.denied',
        `unauthorized (401): the API server rejects the token${message}`,
        {
          remedy:
            'Check the projected token of the pod if this persists: its file is read for every request.',
          retry: true,
        },
      );
    case 403:
      return denied(request, status, message);
    case 409:
      return conflict(request, status, message);
    case 413:
      return problem(request, 'kubernetes.content', 'too large for the API server (413)', {
        remedy: 'Split the keys into several Secrets.',
      });
    case 422:
      return invalid(request, status, message);
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      return problem(
        request,
        'kubernetes.api',
        `the API server is unavailable (${response.status})${message}`,
        {
          remedy: 'Wait: podsecrets retries. If this persists, check the API server.',
          retry: true,
          retryAfter: response.retryAfter,
        },
      );
    default:
      return problem(request, 'kubernetes.api', `unexpected response (${response.status})${message}`, {
        remedy: `Try it with kubectl: kubectl -n ${request.namespace} get ${request.resource} ${escapeControl(request.name)}`,
      });
  }
}

/** Fields that another manager set to another value; empty if the conflict is about the resourceVersion only. */
export function conflictingFields(
  body: unknown,
): readonly { readonly manager: string; readonly field: string }[] {
  return parseStatus(body).causes.flatMap((cause) => {
    if (cause.reason !== 'FieldManagerConflict') return [];
    return [
      {
        manager: /conflict with "([^"]+)"/.exec(cause.message)?.[1] ?? 'another manager',
        field: cause.field,
      },
    ];
  });
}

interface Status {
  readonly message: string;
  readonly causes: readonly { readonly reason: string; readonly message: string; readonly field: string }[];
}

function parseStatus(body: unknown): Status {
  const status = asObject(body);
  const causes = asObject(status.details).causes;
  return {
    message: typeof status.message === 'string' ? status.message : '',
    causes: (Array.isArray(causes) ? causes : []).map(asObject).map((cause) => ({
      reason: String(cause.reason ?? ''),
      message: String(cause.message ?? ''),
      field: String(cause.field ?? ''),
    })),
  };
}

function shownMessage(request: KubernetesRequest, status: Status): string {
  if (status.message === '') return '';
  return request.quotesValue?.(status.message)
    ? ' (its message is withheld: it quotes a value)'
    : `: ${escapeControl(status.message, 400)}`;
}

/** RBAC's message is `User "x" cannot patch resource "secrets"`; quotas and admission policies have others. */
function denied(request: KubernetesRequest, status: Status, message: string): Problem {
  const match = /User "([^"]+)" cannot (\w+) resource/.exec(status.message);
  if (match === null) {
    return problem(request, 'kubernetes.denied', `forbidden (403)${message}`, {
      remedy:
        'A quota or an admission policy of the cluster denies it: find it, and change it or the Secret.',
    });
  }
  const [, user = '', verb = ''] = match;
  const rule = ruleText({
    apiGroups: [request.group],
    resources: [request.resource],
    // The names of pods and their controllers are generated.
    ...(request.resource === 'secrets' ? { resourceNames: [request.name] } : {}),
    verbs: [verb],
  });
  return problem(request, 'kubernetes.denied', `forbidden (403): ${quote(user)} may not ${verb} it`, {
    remedy: `Add to a Role in namespace ${request.namespace}: ${rule}`,
  });
}

function conflict(request: KubernetesRequest, status: Status, message: string): Problem {
  const fields = conflictingFields({ details: { causes: status.causes } });
  if (fields.length === 0) {
    return problem(request, 'kubernetes.api', `conflict (409): changed concurrently${message}`, {
      remedy: 'Wait: podsecrets retries.',
      retry: true,
    });
  }
  const managed = fields.map(
    ({ manager, field }) => `field ${escapeControl(field)} is managed by ${quote(manager)}`,
  );
  return problem(request, 'kubernetes.foreign', `conflict (409): ${managed.join(', ')}`, {
    remedy: `podsecrets takes over no field of another manager. Delete the Secret and podsecrets recreates it: kubectl -n ${request.namespace} delete secret ${request.name}`,
  });
}

function invalid(request: KubernetesRequest, status: Status, message: string): Problem {
  // Only the reasons and fields, because the message quotes the value after "Invalid value".
  const fields = status.causes.map(
    (cause) => `${escapeControl(cause.field)} (${escapeControl(cause.reason)})`,
  );
  const got = fields.length === 0 ? message : `: ${fields.join(', ')}`;
  return problem(request, 'kubernetes.content', `rejected by the API server (422)${got}`, {
    remedy: 'Correct the secretObjects entry.',
  });
}

interface Advice {
  readonly remedy: string;
  readonly retry?: boolean;
  readonly retryAfter?: number | undefined;
}

function problem(request: KubernetesRequest, code: ProblemCode, message: string, advice: Advice): Problem {
  const kind = { secrets: 'Secret', pods: 'Pod', replicasets: 'ReplicaSet', jobs: 'Job' }[request.resource];
  return new Problem({
    code,
    subject: `${kind} ${escapeControl(request.namespace)}/${escapeControl(request.name)}`,
    message,
    ...advice,
  });
}
