/**
 * `podsecrets worker sync`: one sync of a sidecar, in a separate process. Internal: a sidecar starts it.
 */

import type { Settings } from '../cli/options.ts';
import { exitCodes, problemsOf } from '../core/problem.ts';
import { problemMessage } from '../core/problem-fields.ts';
import { releasePages } from '../v8/release-pages.ts';
import { endWithParent, readRequest, writeMessage } from '../worker/inherited.ts';
import { reportedLog } from '../worker/log.ts';
import type { Report } from '../worker/report.ts';
import type { SyncRequest } from '../worker/request.ts';
import type { WorkerContext } from './context.ts';
import { openSync } from './sync.ts';
import { workerSourceOptions } from './worker-sources.ts';

/** The message of the sidecar on the standard input of a worker. */
export interface SyncWorkerRequest {
  /** The pid of the sidecar. */
  readonly parent: number;
  readonly settings: Settings;
  readonly sync: SyncRequest;
}

/** Executes the request and reports the result. */
export async function syncWorker({ env, clock, stop }: WorkerContext): Promise<number> {
  const request = readRequest() as SyncWorkerRequest;
  endWithParent(request.parent);
  const report: Report = writeMessage;
  const run = openSync({
    settings: request.settings,
    env,
    clock,
    stop,
    log: reportedLog(report),
    ...workerSourceOptions(request.sync.batchesDisabled, report),
  });
  try {
    await run(request.sync, report, stop);
  } catch (error) {
    stop.throwIfAborted();
    const problems = problemsOf(error);
    if (problems === undefined) throw error;
    report({ kind: 'unusable', problems: problems.map(problemMessage) });
  }
  releasePages();
  return exitCodes.done;
}
