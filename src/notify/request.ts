/**
 * The request to the process of a notification, and its messages.
 *
 * A hook's output and the values to redact in it are only in that process. The process that starts it gets only the result: success,
 * or a Problem whose text is redacted and escaped.
 */

import { problemShape } from '../core/problem-fields.ts';
import { checkMessage, type MessageIn, object, type Shape, text } from '../core/shape.ts';
import { escapeControl, quote } from '../core/text.ts';
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

/** The id of a process group. 1 would become kill(-1), which signals every process. */
const group: Shape<number> = (value): value is number => Number.isInteger(value) && Number(value) > 1;

const messages = {
  /** The hook runs, in this process group. */
  started: object({ group }),
  delivered: object({}),
  failed: object({ problem: problemShape }),
  /** An error that is not a Problem, as the exit line of the process. */
  bug: object({ line: text }),
} as const;

/** A message of that process. */
export type NotifyMessage = MessageIn<typeof messages>;

/** Checks a message that arrived; throws an Error if it is not one of these. */
export function readNotifyMessage(value: unknown): NotifyMessage {
  return checkMessage(messages, value);
}

/** What a problem is about. The query of a URL may hold a token, and so is not shown. */
export function targetSubject(target: NotifyTarget): string {
  if (target.kind === 'exec') return `hook ${quote(target.command[0])}`;
  const { origin, pathname } = new URL(target.url);
  return escapeControl(`${origin}${pathname}`);
}
