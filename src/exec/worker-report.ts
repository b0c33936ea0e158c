/**
 * The messages between `exec --on-change` and the workers that it starts. None has a value.
 */

import type { LogFields } from '../core/log.ts';
import { events } from '../core/log-events.ts';
import { asObject } from '../core/unknown.ts';
import { problemShape } from '../worker/problem-fields.ts';
import { flag, list, number, object, oneOf, optional, record, type Shaped, text } from '../worker/shape.ts';

const event = oneOf(Object.keys(events) as (keyof typeof events)[]);
const scalar = (value: unknown): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'boolean' || number(value);
const fields = record(optional(scalar)) satisfies (value: unknown) => value is LogFields;

const kinds = {
  /** A line of the log. */
  log: object({ event, message: text, fields }),
  /** A problem as a line of the log. */
  logProblem: object({ event, problem: problemShape, fields }),
  /** Batches are disabled for this identity until then, in milliseconds of `Clock.elapsed`. */
  batchesRefused: object({ identity: text, until: number }),
  /** The set is that of the request: the worker ends. */
  unchanged: object({}),
  /** A complete new set. The worker waits for `publish`. */
  prepared: object({ digest: text }),
  /** The files are published. The worker waits for `start`. */
  published: object({ changed: flag }),
  /** The worker ends. */
  failed: object({ problems: list(problemShape) }),
  /** An error that is not a Problem: the exit line of the worker. */
  bug: object({ line: text }),
} as const;

type Kinds = typeof kinds;

/** A message of a worker. */
export type ExecMessage = {
  [Kind in keyof Kinds]: { readonly kind: Kind } & Shaped<Kinds[Kind]>;
}[keyof Kinds];

/** What a waiting worker does next. */
export type ExecStep = 'publish' | 'start';

/** Checks a message that arrived; throws an Error if it is none of the table. */
export function readExecMessage(value: unknown): ExecMessage {
  const { kind, ...content } = asObject(value);
  const isKnown = typeof kind === 'string' && Object.hasOwn(kinds, kind);
  if (!isKnown || !kinds[kind as keyof Kinds](content)) throw new Error('a message of an unknown form');
  return value as ExecMessage;
}
