/**
 * Runs each sync of a sidecar in a worker.
 */

import type { Settings } from '../cli/options.ts';
import { bugProblem, endProblem } from '../worker/end-problem.ts';
import { runWorker } from '../worker/process.ts';
import { type MessageOf, readMessage } from '../worker/report.ts';
import type { RunSync } from '../worker/request.ts';
import type { WorkerTimeouts } from '../worker/usage.ts';
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

/** The longest sync, in units of the longest wait: a thousand secrets one by one, 16 at a time, whose calls take a third of it. */
const WAITS = 20;

/** How long a worker may take. `stage`: that of its last message; undefined: it may wait for AWS at any time. */
export function workerTimeouts(
  { awsTimeout }: Pick<Settings, 'awsTimeout'>,
  stage: () => MessageOf<'stage'>['stage'] | undefined = () => undefined,
): WorkerTimeouts {
  const wait = WAITING + ATTEMPTS * awsTimeout;
  return {
    progress: () => (stage() === 'config' || stage() === 'render' ? COMPUTING : wait),
    total: WAITS * wait,
  };
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
        timeouts: workerTimeouts(settings, () => stage?.stage),
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
