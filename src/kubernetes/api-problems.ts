/**
 * What the Kubernetes API server answered when it did not do as asked, as a Problem.
 *
 * A 403 names the RBAC rule to add, a conflict names who manages the fields, a 422 names the fields. A message of the
 * server's is shown only if it holds none of the values that were sent: admission policies write messages of their own.
 */

import { Problem, type ProblemCode } from '../core/problem.ts';
import type { Secret } from '../core/secret.ts';
import { escapeControl, quote } from '../core/text.ts';
import { asObject } from '../core/unknown.ts';
import { quotesValue } from './desired-secret.ts';
import { ruleText } from './rbac.ts';

/** What RBAC calls it. */
export type Verb = 'get' | 'patch' | 'delete';

/** What the API server was asked to do. */
export interface KubernetesRequest {
  readonly verb: Verb;
  readonly group: '' | 'apps' | 'batch';
  /** Plural, as the API's paths have it. */
  readonly resource: 'secrets' | 'pods' | 'replicasets' | 'jobs';
  readonly name: string;
  readonly namespace: string;
  /** What was sent, so that no message repeats it. */
  readonly values?: ReadonlyMap<string, Secret>;
}

/** What it answered. */
export interface KubernetesResponse {
  readonly status: number;
  /** The parsed body; undefined when it was not JSON. */
  readonly body: unknown;
  /** Milliseconds. */
  readonly retryAfter: number | undefined;
}

/** The Problem for an answer that is not a success. */
export function toProblem(request: KubernetesRequest, answer: KubernetesResponse): Problem {
  const status = parseStatus(answer.body);
  const message = shownMessage(request, status);
  switch (answer.status) {
    case 401:
      return problem(
        request,
        'kubernetes.denied',
        `expected the API server to know our token, got 401${message}`,
        {
          remedy: 'Check the projected token of the pod if this lasts: its file is read anew each time.',
          retry: true,
        },
      );
    case 403:
      return denied(request, status, message);
    case 409:
      return conflict(request, status, message);
    case 413:
      return problem(request, 'kubernetes.content', 'expected a size that the API server takes, got 413', {
        remedy: 'Divide the keys over several Secrets.',
      });
    case 422:
      return invalid(request, status, message);
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      return problem(request, 'kubernetes.api', `expected an answer, got ${answer.status}${message}`, {
        remedy: 'Wait: the API server is busy or away, and is asked again.',
        retry: true,
        ...(answer.retryAfter === undefined ? {} : { retryAfter: answer.retryAfter }),
      });
    default:
      return problem(request, 'kubernetes.api', `expected success, got ${answer.status}${message}`, {
        remedy: `See what the API server says about ${request.resource}/${escapeControl(request.name)}.`,
      });
  }
}

/** Fields of which another manager has a different opinion; none when the conflict is about the version only. */
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
  const quotes = quotesValue(status.message, request.values?.values() ?? []);
  return quotes ? ' (its message is withheld: it quotes a value)' : `: ${escapeControl(status.message, 400)}`;
}

/** RBAC says `User "x" cannot patch resource "secrets"`; quotas and admission policies deny in words of their own. */
function denied(request: KubernetesRequest, status: Status, message: string): Problem {
  const match = /User "([^"]+)" cannot (\w+) resource/.exec(status.message);
  if (match === null) {
    return problem(request, 'kubernetes.denied', `expected to be let in, got 403${message}`, {
      remedy: 'Find the quota or the admission policy of the cluster that denies it.',
    });
  }
  const [, user = '', verb = ''] = match;
  const rule = ruleText({
    apiGroups: [request.group],
    resources: [request.resource],
    // Pods and what makes them have names that nobody knows beforehand.
    ...(request.resource === 'secrets' ? { resourceNames: [request.name] } : {}),
    verbs: [verb],
  });
  return problem(
    request,
    'kubernetes.denied',
    `expected ${quote(user)} to be allowed to ${verb} it, got 403`,
    {
      remedy: `Add to a Role in namespace ${request.namespace}: ${rule}`,
    },
  );
}

function conflict(request: KubernetesRequest, status: Status, message: string): Problem {
  const fields = conflictingFields({ details: { causes: status.causes } });
  if (fields.length === 0) {
    return problem(request, 'kubernetes.api', `expected no other writer, got 409${message}`, {
      remedy: 'Wait: it is tried again.',
      retry: true,
    });
  }
  const whose = fields.map(({ manager, field }) => `${escapeControl(field)} managed by ${quote(manager)}`);
  return problem(request, 'kubernetes.foreign', `expected fields of ours, got ${whose.join(', ')}`, {
    remedy: `Nothing is taken over. Delete the Secret and it is made anew: kubectl -n ${request.namespace} delete secret ${request.name}`,
  });
}

function invalid(request: KubernetesRequest, status: Status, message: string): Problem {
  // The reasons and fields only: "Invalid value" is followed by the value.
  const fields = status.causes.map(
    (cause) => `${escapeControl(cause.field)} (${escapeControl(cause.reason)})`,
  );
  const got = fields.length === 0 ? message : `: ${fields.join(', ')}`;
  return problem(
    request,
    'kubernetes.content',
    `expected a Secret that the API server takes, got 422${got}`,
    {
      remedy: 'Correct the secretObjects entry.',
    },
  );
}

interface More {
  readonly remedy: string;
  readonly retry?: boolean;
  readonly retryAfter?: number;
}

function problem(request: KubernetesRequest, code: ProblemCode, message: string, more: More): Problem {
  const kind = { secrets: 'Secret', pods: 'Pod', replicasets: 'ReplicaSet', jobs: 'Job' }[request.resource];
  return new Problem({
    code,
    subject: `${kind} ${escapeControl(request.namespace)}/${escapeControl(request.name)}`,
    message,
    ...more,
  });
}
