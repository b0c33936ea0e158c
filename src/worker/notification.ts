/**
 * Starts the process of one notification, and converts its end to a result.
 */

import { Problem } from '../core/problem.ts';
import { createProblemReader } from '../core/problem-fields.ts';
import { reapZombies } from '../notify/reap.ts';
import {
  type NotifyTarget,
  type RunNotification,
  readNotifyMessage,
  targetSubject,
} from '../notify/request.ts';
import { endProblem } from './end-problem.ts';
import { isRunningWorker, runWorker, type WorkerHost } from './process.ts';

/** The process that starts the notifications. */
export interface NotificationHost extends WorkerHost {
  /** The pid of this process: process 1 must reap the orphans of hooks. */
  readonly self: number;
  /** Called after a notification with the number of ended processes that could not be reaped, if there are any. */
  readonly onZombies: (zombies: number) => void;
}

/** Milliseconds without a message: more than the time limits of a hook (30 s and 1 s to end) and of a request (10 s). */
const PROGRESS_TIMEOUT = 45_000;

/** Milliseconds for everything: it sends one message before the hook runs and one after it. */
const TOTAL_TIMEOUT = 2 * PROGRESS_TIMEOUT;

/** One attempt, in a separate process. Rejects with a Problem of stage `notify`, or with the reason of `stop`. */
export async function runNotification(
  request: Parameters<RunNotification>[0],
  host: NotificationHost,
  stop: AbortSignal,
): Promise<void> {
  const problemOf = createProblemReader();
  let group: number | undefined;
  let result: 'delivered' | Problem | undefined;
  const end = await runWorker(
    {
      kind: 'notify',
      request: { ...request, parent: host.self },
      timeouts: { progress: () => PROGRESS_TIMEOUT, total: TOTAL_TIMEOUT },
      receive(value) {
        const message = readNotifyMessage(value);
        if (message.kind === 'started') group = message.group;
        else if (message.kind === 'delivered') result = 'delivered';
        else
          result = message.kind === 'failed' ? problemOf(message.problem) : bug(request.target, message.line);
      },
    },
    host,
    stop,
  );
  const isComplete = end.kind === 'exited' && end.code === 0 && result !== undefined;
  // The hook of a killed process continues to run, and the next attempt would start a second one.
  if (!isComplete && group !== undefined) killGroup(host, group);
  const zombies = await reapZombies(host.self, isRunningWorker);
  if (zombies > 0) host.onZombies(zombies);
  stop.throwIfAborted();
  if (result === 'delivered' && isComplete) return;
  if (result !== undefined && result !== 'delivered') throw result;
  const { target } = request;
  throw endProblem(end, { code: `notify.${target.kind}`, subject: targetSubject(target) });
}

function bug(target: NotifyTarget, line: string): Problem {
  return new Problem({
    code: `notify.${target.kind}`,
    subject: targetSubject(target),
    message: `its process failed: ${line}`,
    remedy: 'Report this as a bug in podsecrets.',
    retry: true,
  });
}

function killGroup({ kill }: WorkerHost, group: number): void {
  try {
    kill(-group, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
