/**
 * Runs each sync of a sidecar in a worker.
 */

import type { Settings } from '../cli/options.ts';
import { bugProblem, endProblem } from '../worker/end-problem.ts';
import { runWorker } from '../worker/process.ts';
import { type MessageOf, readMessage } from '../worker/report.ts';
import type { RunSync } from '../worker/request.ts';
import type { Context } from './context.ts';
import type { SyncWorkerRequest } from './sync-worker.ts';
import { workerHost } from './worker-host.ts';

/**
 * Milliseconds without a message after which a worker is killed: while it computes, and while it waits for AWS, where the
 * time limit of a call is added.
 */
const COMPUTING = 20_000;
const WAITING = 30_000;

/** The attempts of one call to AWS. */
const ATTEMPTS = 3;

/** Milliseconds that a worker may wait for AWS. */
export function progressTimeoutOf({ awsTimeout }: Pick<Settings, 'awsTimeout'>): number {
  return WAITING + ATTEMPTS * awsTimeout;
}

/** `shared`: the descriptor of the file in which a worker passes credentials to the next one. */
export function spawnedSync(context: Context, shared: number | undefined): RunSync {
  const { settings } = context;
  const { self } = context.process;
  return async (sync, report, stop) => {
    const request: SyncWorkerRequest = { parent: self, settings, sync };
    let bug: string | undefined;
    let stage: MessageOf<'stage'> | undefined;
    const end = await runWorker(
      {
        kind: 'sync',
        request,
        progressTimeout: () =>
          stage?.stage === 'config' || stage?.stage === 'render' ? COMPUTING : progressTimeoutOf(settings),
        shared,
        receive(value) {
          const message = readMessage(value);
          if (message.kind === 'stage') stage = message;
          if (message.kind === 'bug') bug = message.line;
          else report(message);
        },
      },
      workerHost(context),
      stop,
    );
    stop.throwIfAborted();
    if (bug !== undefined) throw bugProblem(bug);
    if (end.kind === 'exited' && end.code === 0) return;
    const config = stage?.config === undefined ? undefined : sync.configs[stage.config];
    throw endProblem(end, { code: 'sync.killed', subject: config?.file ?? 'sync' });
  };
}
