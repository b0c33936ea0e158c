/**
 * The messages between `exec --on-change` and the workers that it starts. None has a value.
 */

import { problemShape } from '../worker/problem-fields.ts';
import { commonKinds } from '../worker/report.ts';
import { checkMessage, flag, list, type MessageIn, object, text } from '../worker/shape.ts';

const kinds = {
  ...commonKinds,
  /** The set is that of the request: the worker ends. */
  unchanged: object({}),
  /** A complete new set. The worker waits for `publish`. */
  prepared: object({ digest: text }),
  /** The files are published. The worker waits for `start`. */
  published: object({ changed: flag }),
  /** The worker ends. */
  failed: object({ problems: list(problemShape) }),
} as const;

/** A message of a worker. */
export type ExecMessage = MessageIn<typeof kinds>;

/** The next step of a waiting worker. */
export type ExecStep = 'publish' | 'start';

/** Checks a message that arrived; throws an Error if it does not match the table. */
export function readExecMessage(value: unknown): ExecMessage {
  return checkMessage(kinds, value);
}
