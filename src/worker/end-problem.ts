/**
 * How a worker ended. Converts the end of one that did not finish its work to a Problem: the reason, the limit, and the remedy.
 */

import { durationText } from '../cli/values.ts';
import { OPEN_FILES_REMEDY } from '../core/open-files.ts';
import { Problem, type ProblemCode } from '../core/problem.ts';

/** How a worker ended. */
export type WorkerEnd =
  /** It exited. Only code 0 means that its report is complete. */
  | { readonly kind: 'exited'; readonly code: number }
  /** By a signal of another process: the kernel (out of memory), an abort of V8, a person. */
  | { readonly kind: 'signal'; readonly signal: string }
  /** It was killed: no message for so many milliseconds; `sentNothing`: none since its start. */
  | { readonly kind: 'stalled'; readonly timeout: number; readonly sentNothing: boolean }
  /** It was killed: it did not end within so many milliseconds, although it sent messages. */
  | { readonly kind: 'overdue'; readonly timeout: number }
  /** It was killed: it used `used` bytes of the `limit` that a worker may use. */
  | { readonly kind: 'memory'; readonly used: number; readonly limit: number }
  /** It was killed: its report is not valid, or too long. */
  | { readonly kind: 'report'; readonly reason: string }
  /** It could not be started; the system's error code. */
  | { readonly kind: 'notStarted'; readonly code: string };

/** The work of the worker: `{code: 'sync.killed', subject: 'sync'}`. */
export interface WorkerSubject {
  readonly code: ProblemCode;
  readonly subject: string;
}

/** The problem with a worker that ended like this. Transient: the next worker may finish. */
export function endProblem(end: WorkerEnd, { code, subject }: WorkerSubject): Problem {
  const { message, remedy } = explain(end, code.startsWith('notify.') ? SLOW_NOTIFICATION : SLOW_SYNC);
  return new Problem({ code, subject, message, remedy, retry: true });
}

/** The problem with a worker that reported a bug, in one line: a bug in a worker does not end the process that started it. */
export function bugProblem(line: string): Problem {
  return new Problem({
    code: 'sync.killed',
    subject: 'sync',
    message: `its process ended because of ${line}`,
    remedy: 'Report this line.',
  });
}

/** `slow`: the remedy for a worker that took too long. */
function explain(end: WorkerEnd, slow: string): { readonly message: string; readonly remedy: string } {
  switch (end.kind) {
    case 'stalled':
      return {
        message: `its process made no progress for ${durationText(end.timeout)} and was killed`,
        remedy: end.sentNothing ? `${slow} ${MORE_THREADS}` : slow,
      };
    case 'overdue':
      return {
        message: `its process did not end within ${durationText(end.timeout)} and was killed`,
        remedy: slow,
      };
    case 'memory':
      return {
        message: `its process used ${mebibytes(end.used)} of the ${Math.max(0, mebibytes(end.limit))} MiB that the memory limit of the container leaves, and was killed`,
        remedy: RAISE_MEMORY,
      };
    case 'signal':
      return {
        message: `its process was ended by ${end.signal}${signals[end.signal]?.cause ?? ''}`,
        remedy: signals[end.signal]?.remedy ?? 'Find out which process sends this signal.',
      };
    case 'notStarted':
      return {
        message: `its process cannot be started (${end.code})`,
        remedy: startRemedies[end.code] ?? 'Report this as a bug in podsecrets.',
      };
    case 'report':
      return {
        message: `its process sent a report that cannot be used (${end.reason}), and was killed`,
        remedy: 'Report this as a bug in podsecrets.',
      };
    case 'exited':
      if (end.code > SIGNALLED)
        return explain({ kind: 'signal', signal: SIGNALS[end.code - SIGNALLED] ?? 'a signal' }, slow);
      return {
        message: `its process ended with exit code ${end.code} before its work was done`,
        remedy: 'Report this as a bug in podsecrets.',
      };
    default:
      return end satisfies never;
  }
}

/** The exit code of a worker after a signal is this plus the number of the signal, as in shells. */
const SIGNALLED = 128;
const SIGNALS: Readonly<Record<number, string>> = { 2: 'SIGINT', 3: 'SIGQUIT', 15: 'SIGTERM' };

const SLOW_SYNC =
  'If the config has changed, correct it. Otherwise give the container more CPU, or raise --aws-timeout.';

/** Hooks and requests have time limits of their own. */
const SLOW_NOTIFICATION =
  'Give the container more CPU. If it has enough, report this as a bug in podsecrets.';

/** With a part of its threads Node waits for the others forever. */
const MORE_THREADS =
  'If it is at its limit of processes (podPidsLimit), raise that: a process without its threads does not start.';

const RAISE_MEMORY = 'Raise the memory limit of the container, or fetch fewer or smaller secrets with it.';

const signals: Readonly<Record<string, { readonly cause: string; readonly remedy: string }>> = {
  SIGKILL: { cause: ', perhaps by the kernel because memory ran out', remedy: RAISE_MEMORY },
  SIGABRT: {
    cause: ': the engine found no memory, or no thread within the pids limit',
    remedy: 'Raise the memory limit of the container, or its limit of processes (podPidsLimit).',
  },
};

const SHORTAGE =
  'Raise the limit of processes of the pod (podPidsLimit), or the memory limit of the container.';

const startRemedies: Readonly<Record<string, string>> = {
  EAGAIN: SHORTAGE,
  ENOMEM: SHORTAGE,
  EMFILE: OPEN_FILES_REMEDY,
  ENFILE: OPEN_FILES_REMEDY,
};

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
