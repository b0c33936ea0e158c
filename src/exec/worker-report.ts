/**
 * The messages between `exec --on-change` and the workers that it starts: those of a sync, and an answer to each step. None has a
 * value.
 */

import { asObject } from '../core/unknown.ts';
import { problemShape } from '../worker/problem-fields.ts';
import { type MessageOf, readMessage, type SyncMessage } from '../worker/report.ts';
import { flag, list, object, type Shaped, text } from '../worker/shape.ts';

const kinds = {
  /** The set is that of the request: the worker ends. */
  unchanged: object({}),
  /** A complete new set. The worker waits for `publish`. */
  prepared: object({ digest: text }),
  /** The files of all configs are published. The worker waits for `start`. */
  ready: object({ changed: flag }),
  /** The worker ends, because of these problems and of those that it reported before. */
  refused: object({ problems: list(problemShape) }),
} as const;

type Kinds = typeof kinds;

/** The answer of a worker to a step, or the end of the worker by a bug. */
export type Answer =
  | { [Kind in keyof Kinds]: { readonly kind: Kind } & Shaped<Kinds[Kind]> }[keyof Kinds]
  | MessageOf<'bug'>;

/** A message of a worker. */
export type ExecMessage = Answer | SyncMessage;

/** What a waiting worker does next. */
export type ExecStep = 'publish' | 'start';

/** Checks a message that arrived; throws an Error if it is none of the table and none of a sync. */
export function readExecMessage(value: unknown): ExecMessage {
  const { kind, ...content } = asObject(value);
  if (typeof kind !== 'string' || !Object.hasOwn(kinds, kind)) return readMessage(value);
  if (!kinds[kind as keyof Kinds](content)) throw new Error(`a message of kind ${kind} with other fields`);
  return value as ExecMessage;
}

/** Whether it is an answer. */
export function isAnswer(message: ExecMessage): message is Answer {
  return Object.hasOwn(kinds, message.kind) || message.kind === 'bug';
}
