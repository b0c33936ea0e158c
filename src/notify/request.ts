/**
 * The request to the process of a notification, and its messages.
 *
 * A hook's output and the values to redact in it are only in that process. The process that starts it gets only the result: success,
 * or a Problem whose text is redacted and escaped.
 */

import { Problem, type ProblemFields, problemCodes } from '../core/problem.ts';
import { escapeControl, quote } from '../core/text.ts';
import { asObject, numberOf, textOf } from '../core/unknown.ts';
import type { DirectoryHandle } from '../publish/held-directory.ts';

/** The hook to run, or the URL to request. */
export type NotifyTarget =
  | { readonly kind: 'exec'; readonly command: readonly [string, ...string[]] }
  | { readonly kind: 'url'; readonly url: string };

/** One attempt of a notification. */
export interface NotifyRequest {
  readonly target: NotifyTarget;
  /** Names of the files that changed. */
  readonly names: readonly string[];
  /** The directories whose values are redacted. */
  readonly directories: readonly DirectoryHandle[];
  /** The pid of the process that makes the request. */
  readonly parent: number;
}

/** Makes one attempt in a separate process. Rejects with a Problem of stage `notify`, or with the reason of `stop`. */
export type RunNotification = (request: Omit<NotifyRequest, 'parent'>, stop: AbortSignal) => Promise<void>;

/** A message of that process. */
export type NotifyMessage =
  /** The hook runs, in a process group of this id. */
  | { readonly kind: 'started'; readonly group: number }
  | { readonly kind: 'delivered' }
  | { readonly kind: 'failed'; readonly problem: Problem }
  /** An error that is not a Problem, as the exit line of the process. */
  | { readonly kind: 'bug'; readonly line: string };

/** What a problem is about. The query of a URL may hold a token, and so is not shown. */
export function targetSubject(target: NotifyTarget): string {
  if (target.kind === 'exec') return `hook ${quote(target.command[0])}`;
  const { origin, pathname } = new URL(target.url);
  return escapeControl(`${origin}${pathname}`);
}

/** A message as JSON can hold it. */
export function encodeMessage(message: NotifyMessage): object {
  if (message.kind !== 'failed') return message;
  const { code, subject, remedy, retry, retryAfter } = message.problem;
  return {
    kind: 'failed',
    problem: { code, subject, message: message.problem.message, remedy, retry, retryAfter },
  };
}

/** The message that arrived as JSON. Throws an Error if it is not a request. */
export function decodeMessage(value: unknown): NotifyMessage {
  const { kind, group, problem, line } = asObject(value);
  if (kind === 'delivered') return { kind };
  const started = numberOf(group);
  // A group of 1 would become kill(-1), which signals every process.
  if (kind === 'started' && started !== undefined && Number.isInteger(started) && started > 1)
    return { kind, group: started };
  const text = textOf(line);
  if (kind === 'bug' && text !== undefined) return { kind, line: text };
  if (kind === 'failed') return { kind, problem: new Problem(problemFields(problem)) };
  throw new Error('a message of an unknown kind');
}

function problemFields(value: unknown): ProblemFields {
  const fields = asObject(value);
  const code = problemCodes.find((one) => one === fields.code);
  const [subject, message, remedy] = [fields.subject, fields.message, fields.remedy].map(textOf);
  const retryAfter = numberOf(fields.retryAfter);
  if (code === undefined || subject === undefined || message === undefined || remedy === undefined)
    throw new Error('a problem without its fields');
  return {
    code,
    subject,
    message,
    remedy,
    retry: fields.retry === true,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}
