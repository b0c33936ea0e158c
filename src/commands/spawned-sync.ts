/**
 * Runs each sync of a sidecar in a worker. The attempts of a start share one, as long as it has values that the next attempt needs.
 */

import type { Settings } from '../cli/options.ts';
import { bugProblem, endProblem, type WorkerEnd } from '../worker/end-problem.ts';
import { type Requests, runWorker } from '../worker/process.ts';
import { type MessageOf, type Report, readMessage } from '../worker/report.ts';
import type { RunSync, SyncRequest } from '../worker/request.ts';
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

/** The syncs of a sidecar. */
export interface SpawnedSync {
  readonly runSync: RunSync;
  /** Ends the worker that waits for the next attempt of the start, if there is one. */
  readonly endStart: () => void;
}

/** `shared`: the descriptor of the file in which a worker passes credentials to the next one. */
export function spawnedSync(context: Context, shared: number | undefined): SpawnedSync {
  let waiting: WorkerProcess | undefined;
  return {
    async runSync(sync, report, stop) {
      const isStart = sync.work === 'sync' && sync.phase === 'start';
      const worker = (isStart && waiting) || openWorkerProcess(context, shared);
      waiting = undefined;
      const { end, bug, stage } = await worker.run(sync, report, stop);
      stop.throwIfAborted();
      if (bug !== undefined) throw bugProblem(bug);
      if (end === undefined) {
        waiting = worker;
        void worker.ended().then(() => {
          if (waiting === worker) waiting = undefined;
        });
        return;
      }
      if (end.kind === 'exited' && end.code === 0) return;
      const config = stage?.config === undefined ? undefined : sync.configs[stage.config];
      throw endProblem(end, { code: 'sync.killed', subject: config?.file ?? 'sync' });
    },
    endStart() {
      waiting?.end();
      waiting = undefined;
    },
  };
}

/** One sync of a worker. */
interface Attempt {
  readonly report: Report;
  /** Resolves when the worker waits for the next request. */
  readonly done: PromiseWithResolvers<undefined>;
  bug: string | undefined;
  stage: MessageOf<'stage'> | undefined;
}

/** A worker, which starts with its first sync. */
interface WorkerProcess {
  /** Runs a sync; `end`: undefined if the worker waits for the next one. */
  run(
    sync: SyncRequest,
    report: Report,
    stop: AbortSignal,
  ): Promise<Pick<Attempt, 'bug' | 'stage'> & { readonly end: WorkerEnd | undefined }>;
  /** Call it after the first sync. */
  ended(): Promise<unknown>;
  /** Ends it while it waits. */
  end(): void;
}

function openWorkerProcess(context: Context, shared: number | undefined): WorkerProcess {
  const { settings } = context;
  const ending = new AbortController();
  /** undefined: it waits. */
  let current: Attempt | undefined;
  let requests: Requests | undefined;
  let ended: Promise<WorkerEnd> | undefined;

  function start(sync: SyncRequest): Promise<WorkerEnd> {
    const request: SyncWorkerRequest = { parent: context.process.self, settings, sync };
    return runWorker(
      {
        kind: 'sync',
        request,
        timeouts: workerTimeouts(settings, () => current?.stage?.stage),
        isWaiting: () => current === undefined,
        shared,
        receive,
      },
      workerHost(context),
      ending.signal,
    );
  }

  function receive(value: unknown, more: Requests): void {
    const message = readMessage(value);
    if (current === undefined) throw new Error(`${message.kind} of a worker that waits`);
    if (message.kind === 'stage') current.stage = message;
    if (message.kind === 'bug') current.bug = message.line;
    else if (message.kind === 'waiting') {
      requests = more;
      current.done.resolve(undefined);
      current = undefined;
    } else current.report(message);
  }

  return {
    async run(sync, report, stop) {
      const attempt: Attempt = {
        report,
        done: Promise.withResolvers(),
        bug: undefined,
        stage: undefined,
      };
      current = attempt;
      const onStop = (): void => ending.abort();
      if (stop.aborted) onStop();
      else stop.addEventListener('abort', onStop, { once: true });
      if (ended === undefined) ended = start(sync);
      else requests?.send(sync);
      const end = await Promise.race([ended, attempt.done.promise]);
      stop.removeEventListener('abort', onStop);
      return { end, bug: attempt.bug, stage: attempt.stage };
    },
    ended: async () => await ended,
    end: () => requests?.end(),
  };
}
