/**
 * The messages between `exec --on-change` and the workers that it starts: those of a sync, and a reply to each step. None has a value.
 */

import { problemShape } from '../core/problem-fields.ts';
import { checkMessage, flag, list, type MessageIn, object, text } from '../core/shape.ts';
import { asObject } from '../core/unknown.ts';
import { type MessageOf, readMessage, type SyncMessage } from '../worker/report.ts';

const replies = {
  /** The set is that of the request: the worker ends. */
  unchanged: object({}),
  /** A complete new set. The worker waits for `publish`. */
  prepared: object({ digest: text }),
  /** The files of all configs are published. The worker waits for `start`. */
  ready: object({ changed: flag }),
  /**
   * The worker did not execute the step, because of these problems and of those that it reported before. It ends, or `waits` for the
   * request of the next attempt, because it has values.
   */
  rejected: object({ problems: list(problemShape), waits: flag }),
} as const;

/** The reply of a worker to a step, or the bug that ended it. */
export type Reply = MessageIn<typeof replies> | MessageOf<'bug'>;

/** A message of a worker. */
export type ExecMessage = Reply | SyncMessage;

/** The next step of a waiting worker. */
export type ExecStep = 'publish' | 'start';

/** Checks a message that arrived; throws an Error if it is neither a reply nor a message of a sync. */
export function readExecMessage(value: unknown): ExecMessage {
  const { kind } = asObject(value);
  const isOwn = typeof kind === 'string' && Object.hasOwn(replies, kind);
  return isOwn ? checkMessage(replies, value) : readMessage(value);
}

/** Whether it is a reply. */
export function isReply(message: ExecMessage): message is Reply {
  return Object.hasOwn(replies, message.kind) || message.kind === 'bug';
}
