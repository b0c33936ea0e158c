/**
 * `podsecrets worker sync`: one sync of a sidecar, in a separate process; at the start, each attempt until one succeeds. Internal: a
 * sidecar starts it.
 */

import type { Settings } from '../cli/options.ts';
import { exitCodes, problemsOf } from '../core/problem.ts';
import { problemMessage } from '../core/problem-fields.ts';
import { parseJson } from '../core/unknown.ts';
import { collectGarbage } from '../v8/collect-garbage.ts';
import { releasePages } from '../v8/release-pages.ts';
import { endWithParent, nextLine, readRequest, writeMessage } from '../worker/inherited.ts';
import { reportedLog } from '../worker/log.ts';
import type { Report } from '../worker/report.ts';
import type { RunSync, SyncRequest } from '../worker/request.ts';
import type { WorkerContext } from './context.ts';
import { openSync } from './sync.ts';
import { workerSourceOptions } from './worker-sources.ts';

/** The first message of the sidecar, on the standard input of a worker. */
export interface SyncWorkerRequest {
  /** The pid of the sidecar. */
  readonly parent: number;
  readonly settings: Settings;
  readonly sync: SyncRequest;
}

/**
 * Executes the request and reports the result. After an attempt of the start that failed with some values fetched, waits for the
 * request of the next attempt; without any, the next attempt gets a new process.
 */
export async function syncWorker({ env, clock, stop }: WorkerContext): Promise<number> {
  const { parent, settings, sync } = readRequest() as SyncWorkerRequest;
  endWithParent(parent);
  const report: Report = writeMessage;
  const { runSync, hasValues } = openSync({
    settings,
    env,
    clock,
    stop,
    log: reportedLog(report),
    ...workerSourceOptions(sync, report),
  });
  for (let request: SyncRequest | undefined = sync; request !== undefined; ) {
    const hasFailed = await attempt(runSync, request, report, stop);
    if (!hasFailed || !hasValues()) break;
    // It may wait for minutes: 16 MiB instead of 22, and with 100 values of 64 KiB 24 instead of 36.
    collectGarbage();
    report({ kind: 'waiting' });
    const line = await nextLine(stop);
    request = line === undefined ? undefined : (parseJson(line) as SyncRequest);
  }
  releasePages();
  return exitCodes.done;
}

/** Returns whether a config failed. */
async function attempt(
  runSync: RunSync,
  request: SyncRequest,
  report: Report,
  stop: AbortSignal,
): Promise<boolean> {
  let hasFailed = false;
  try {
    await runSync(
      request,
      (message) => {
        hasFailed ||= message.kind === 'failed' || message.kind === 'unusable';
        report(message);
      },
      stop,
    );
  } catch (error) {
    stop.throwIfAborted();
    const problems = problemsOf(error);
    if (problems === undefined) throw error;
    report({ kind: 'unusable', problems: problems.map(problemMessage) });
    return true;
  }
  return hasFailed;
}
