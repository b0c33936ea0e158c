/**
 * The report of a sync: the kinds of messages, and the validation of received ones.
 *
 * It contains names, versions, counts, times and problems, and no secret value. A message is an object of one line of JSON; its
 * `kind` is its row in the table.
 */

import type { LogFields } from '../core/log.ts';
import { events } from '../core/log-events.ts';
import { problemShape } from '../core/problem-fields.ts';
import { services } from '../core/service.ts';
import {
  checkMessage,
  flag,
  list,
  type MessageIn,
  number,
  object,
  oneOf,
  optional,
  record,
  type Shaped,
  text,
} from '../core/shape.ts';

const service = oneOf(services);
const event = oneOf(Object.keys(events) as (keyof typeof events)[]);
const scalar = (value: unknown): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'boolean' || number(value);
const fields = record(optional(scalar)) satisfies (value: unknown) => value is LogFields;
const origin = { object: text, service, region: text, version: text };
const objectProblems = list(object({ name: text, problem: problemShape }));
/** The contents of a set, without values. */
const contents = {
  files: list(object({ path: text, ...origin })),
  /** Left out if the set has none to show. */
  variables: optional(list(object({ name: text, ...origin }))),
  missing: objectProblems,
  degraded: objectProblems,
  variableWarnings: objectProblems,
};

/** An object with a pinned version, whose files are taken from the current generation. */
const pinnedObject = object({
  /** The ref and its outputs, as text for comparison. */
  description: text,
  region: text,
  version: text,
  files: list(
    object({
      path: text,
      mode: number,
      variable: optional(text),
      /** The identity of the file when it was written. */
      written: text,
    }),
  ),
});

/** A row for each kind. `config` is the index of a config in the request. */
const kinds = {
  /** A line of the log. */
  log: object({ event, message: text, fields }),
  /** A problem as a line of the log. */
  logProblem: object({ event, problem: problemShape, fields }),
  /** Batches are disabled for this identity until then, in milliseconds of `Clock.elapsed`. */
  batchesDisabled: object({ identity: text, until: number }),
  /** An error that is not a Problem: the exit line of the worker. */
  bug: object({ line: text }),
  /** The next step: shows progress, and the work of a worker that is killed. */
  stage: object({
    stage: oneOf(['config', 'fetch', 'render', 'secrets']),
    config: optional(number),
  }),
  /** The configs are invalid, and there are none in use; or the command of `exec` cannot get the set. The sync ends. */
  unusable: object({ problems: list(problemShape) }),
  /** A config was edited. `invalid`: the one in use stays. */
  edited: object({
    config: number,
    result: oneOf(['changed', 'unchanged', 'invalid']),
    objects: number,
    problems: list(problemShape),
    warnings: list(problemShape),
  }),
  /** The plan of a config, before anything is fetched. */
  plan: object({
    config: number,
    region: text,
    failoverRegion: optional(text),
    /** The files that it always creates. */
    paths: list(text),
    /** Its Kubernetes Secrets, without values; left out if none are applied. */
    secrets: optional(text),
  }),
  /** A call to AWS that ended. */
  apiCall: object({ service: text, operation: text, region: text, result: text }),
  /** The credentials in use. */
  credentials: object({
    source: oneOf(['pod-identity', 'irsa', 'default']),
    provider: optional(text),
    /** Milliseconds since 1970. */
    expiresAt: optional(number),
  }),
  /**
   * The set of a config of `exec --on-change` was fetched, and nothing was published: it is the one in use, or the config has only
   * variables.
   */
  fetched: object({
    config: number,
    result: oneOf(['changed', 'unchanged']),
    /** Files and variables from objects. */
    count: number,
    ...contents,
  }),
  /** A config was published. */
  published: object({
    config: number,
    result: oneOf(['changed', 'unchanged']),
    /** The name of the current generation. */
    generation: text,
    /** The change leaves too little space for the next one. */
    warning: optional(problemShape),
    added: list(text),
    updated: list(text),
    removed: list(text),
    /** Names to notify the application of. */
    pending: list(text),
    /** The number of files. */
    count: number,
    ...contents,
    /** Its Kubernetes Secrets are applied next. */
    appliesSecrets: flag,
    pinned: list(pinnedObject),
  }),
  /** The Kubernetes Secrets of a config were applied. */
  applied: object({ config: number }),
  /** A config failed; the others continue. */
  failed: object({ config: number, problems: list(problemShape) }),
  /** An attempt of the start failed: the worker keeps the values that it has fetched, and waits for the request of the next one. */
  waiting: object({}),
  /** Kubernetes Secrets are missing, or another manager wrote them: a sync is needed. */
  secretsStale: object({}),
} as const;

/** A message of each kind. */
export type SyncMessage = MessageIn<typeof kinds>;

/** The message of one kind. */
export type MessageOf<Kind extends SyncMessage['kind']> = Extract<SyncMessage, { kind: Kind }>;

/** Receives the messages of a sync. */
export type Report = (message: SyncMessage) => void;

/** Checks a message that arrived; throws an Error if it does not match the table. */
export function readMessage(value: unknown): SyncMessage {
  return checkMessage(kinds, value);
}

/** The record of an object with a pinned version. */
export type PinnedObject = Shaped<typeof pinnedObject>;
