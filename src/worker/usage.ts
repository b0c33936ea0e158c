/**
 * What a worker has used of its time and of its report, with limits for both.
 *
 * A message shows progress, and a worker that progresses gets more time. So a worker that sends messages forever, because of a bug or
 * because a response of AWS has taken control of it, is ended by limits that no message extends.
 */

import type { WorkerEnd } from './end-problem.ts';

/** Milliseconds that a worker may take. */
export interface WorkerTimeouts {
  /** Without a message. Called at each check, because it depends on the stage. */
  readonly progress: () => number;
  /** In all, whatever it reports. */
  readonly total: number;
}

/** Counts what a worker uses. Each method returns the reason to kill it, once a limit is reached. */
export interface WorkerUsage {
  /** So many bytes of its report arrived. */
  bytes(count: number): WorkerEnd | undefined;
  /** A message arrived. */
  message(): WorkerEnd | undefined;
  /** So many milliseconds passed. They are counted, because a clock also advances while the machine is suspended. */
  time(ms: number): WorkerEnd | undefined;
}

/** Bytes of one message: the names of all files that fit into a volume. */
export const LONGEST_MESSAGE = 8 * 1024 * 1024;

/** Bytes of a report: several of the longest messages, or the API calls of 100,000 secrets. */
const LONGEST_REPORT = 4 * LONGEST_MESSAGE;

/** Messages of a report: a call for each secret of a config with 10,000, in two regions and with all repetitions, and log lines. */
const MOST_MESSAGES = 100_000;

export function createWorkerUsage({ progress, total }: WorkerTimeouts): WorkerUsage {
  let bytes = 0;
  let messages = 0;
  let withoutMessage = 0;
  let time = 0;
  return {
    bytes(count) {
      bytes += count;
      return bytes > LONGEST_REPORT ? tooLong(`more than ${LONGEST_REPORT / 1024 / 1024} MiB`) : undefined;
    },
    message() {
      withoutMessage = 0;
      messages += 1;
      return messages > MOST_MESSAGES ? tooLong(`more than ${MOST_MESSAGES} messages`) : undefined;
    },
    time(ms) {
      withoutMessage += ms;
      time += ms;
      const timeout = progress();
      if (withoutMessage >= timeout) return { kind: 'stalled', timeout, sentNothing: messages === 0 };
      return time >= total ? { kind: 'overdue', timeout: total } : undefined;
    },
  };
}

function tooLong(reason: string): WorkerEnd {
  return { kind: 'report', reason };
}
