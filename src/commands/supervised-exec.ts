/**
 * `podsecrets exec --on-change`: runs the command as a child, and acts on changes of the secrets. Has no values: each set is fetched by
 * a process of its own, which then becomes the command.
 *
 * The state of the configs, their edits, the endpoints and the metrics are those of a sidecar.
 */

import { constants } from 'node:os';
import { signals } from '../cli/values.ts';
import { throwProblems } from '../core/problem.ts';
import type { Candidate } from '../exec/fetch-worker.ts';
import { createCommandFetcher } from '../exec/fetch-worker.ts';
import { supervise } from '../exec/supervise.ts';
import { reapZombies } from '../notify/reap.ts';
import { type HeldDirectory, noDirectory } from '../publish/held-directory.ts';
import { sameDirectories } from '../publish/inspect.ts';
import { createMetrics } from '../sidecar/metrics.ts';
import { createStatusTracker } from '../sidecar/status.ts';
import { createSync } from '../sidecar/sync.ts';
import { createSyncTarget, type SyncTarget } from '../sidecar/target.ts';
import { createRefreshLimit, createTriggers, REFRESH_SPACING } from '../sidecar/triggers.ts';
import { unblockSignals } from '../v8/signals.ts';
import { closeCredentialsFile, openCredentialsFile } from '../worker/credentials-file.ts';
import { isRunningWorker } from '../worker/process.ts';
import type { Report } from '../worker/report.ts';
import type { Phase } from '../worker/request.ts';
import type { Context } from './context.ts';
import { serverOf } from './endpoints.ts';
import type { ExecWorkerRequest } from './exec-worker.ts';
import { openCommandLog } from './logging.ts';
import { hold, readContent } from './open.ts';
import { usedConfigs } from './plans.ts';
import { workerTimeouts } from './spawned-sync.ts';
import { workerHost } from './worker-host.ts';

/** Resolves with the exit code of the command, or 0 after `--on-change exit`. Throws the Problems of what failed before. */
export async function supervisedExec(context: Context): Promise<number> {
  const { settings, clock, args, stop } = context;
  const { self } = context.process;
  const { onChange } = settings;
  if (onChange === 'none') throw new Error('exec without --on-change has no parent');
  // Before the first fetch: a SIGUSR1 that arrives meanwhile is not for the command, which would end by it.
  unblockSignals();
  const log = openCommandLog(context);
  for (const warning of context.warnings) log.problem('config.warning', warning);
  await using closers = new AsyncDisposableStack();
  const held = await holdDirectories(context, closers);
  const paths = [...held.values()].map(({ path }) => path);
  const shared = openCredentialsFile([...paths, '/dev/shm']);
  if (shared !== undefined) closers.defer(() => closeCredentialsFile(shared));

  const parts = { clock, log };
  const targets: readonly SyncTarget[] = [
    ...usedConfigs(context).map(({ file, dir = settings.dir }) =>
      createSyncTarget({
        file,
        held: held.get(dir) ?? noDirectory,
        read: () => readContent(file, context.env),
        ...parts,
      }),
    ),
    ...(settings.set.length === 0
      ? []
      : [
          createSyncTarget({
            file: '--set',
            held: noDirectory,
            // Cannot be edited.
            read: () => ({ kind: 'text', text: '--set' }),
            ...parts,
          }),
        ]),
  ];
  const metrics = createMetrics([], { restarts: onChange === 'restart' });
  const { countSync, countReload, countNotification, countRestart } = metrics;
  const withoutRepeats = createRepeatFilter();
  /** The digest and the result of the fetch that is in progress. */
  let known: string | undefined;
  let candidate: Candidate | undefined;
  const fetcher = createCommandFetcher({
    host: () => workerHost(context),
    shared,
    timeouts: workerTimeouts(settings),
  });
  closers.defer(fetcher.close);
  const syncs = createSync({
    targets,
    async runSync(sync, report, signal) {
      const request: ExecWorkerRequest = { parent: self, settings, args, sync, known };
      candidate = await fetcher.fetch({ request, receive: withoutRepeats(report) }, signal);
    },
    notifiers: [],
    splay: 0,
    ...parts,
    meter: metrics.api,
    countSync,
    countReload,
    countNotification,
  });
  const { queue, credentials } = syncs;
  const tracker = createStatusTracker({ targets, queue, credentials, ...parts });
  const triggers = createTriggers(clock);
  let isStarted = false;
  const status = () => ({ ...tracker.status(), ready: isStarted });
  const server = await serverOf(settings.listen)?.({
    status,
    metrics: () => metrics.render(status(), context.process.figures()),
    refresh: createRefreshLimit(() => triggers.trigger('request'), REFRESH_SPACING, clock, stop),
  });
  if (server !== undefined) closers.defer(() => server.close());

  async function fetch(
    digest: string | undefined,
    phase: Phase,
    signal: AbortSignal,
  ): Promise<Candidate | undefined> {
    known = digest;
    candidate = undefined;
    syncs.reload();
    try {
      await syncs.sync(phase, signal);
    } catch (error) {
      (candidate as Candidate | undefined)?.discard();
      throw error;
    }
    await reapOrphans();
    return candidate === undefined ? undefined : withCleanup(candidate, held);
  }

  /** Processes that earlier commands left, if this is process 1. */
  async function reapOrphans(): Promise<void> {
    const zombies = await reapZombies(self, isRunningWorker);
    if (zombies === 0) return;
    const text = `${zombies} ended processes that the command left could not be reaped`;
    log.write('hook.zombieProcesses', text, { zombies });
  }

  return await supervise(
    {
      onChange,
      stopSignal: settings.stopSignal,
      stopTimeout: settings.stopTimeout,
      interval: settings.interval,
      splay: settings.notifySplay,
      startTimeout: settings.startTimeout,
      hasTerminal: context.stdinIsTerminal,
      ...parts,
      triggers,
      fetch,
      handleSignals: (listener) => context.handleSignals(FORWARDED, listener),
      onRetry(problems) {
        context.start.problems = problems;
      },
      onReady(delay) {
        isStarted = true;
        tracker.ready(delay);
      },
      onSuccess: tracker.succeeded,
      onFailure: tracker.failed,
      countRestart,
      exitCodeOf: (signal) => 128 + constants.signals[signal],
    },
    stop,
  );
}

/** The directories of the configs, by their path in the settings. */
async function holdDirectories(
  context: Context,
  closers: AsyncDisposableStack,
): Promise<ReadonlyMap<string | undefined, HeldDirectory>> {
  const { settings } = context;
  const paths = usedConfigs(context).flatMap(({ dir = settings.dir }) => dir ?? []);
  throwProblems(sameDirectories(paths));
  const held = new Map<string, HeldDirectory>();
  for (const path of paths) {
    const directory = await hold(context, path, settings.startTimeout);
    closers.defer(() => directory.close());
    held.set(path, directory);
  }
  return held;
}

/** Removes what a publish replaced. */
function withCleanup(candidate: Candidate, held: ReadonlyMap<unknown, HeldDirectory>): Candidate {
  return {
    ...candidate,
    async publish() {
      const changed = await candidate.publish();
      for (const directory of held.values()) await directory.removeReplaced();
      return changed;
    },
  };
}

/** Drops the line that says which variables the secrets replace while it is the same: every worker reports it. */
function createRepeatFilter(): (report: Report) => Report {
  let last: string | undefined;
  return (report) => (message) => {
    if (message.kind === 'log' && message.event === 'exec.overrides') {
      if (message.message === last) return;
      last = message.message;
    }
    report(message);
  };
}

/** Signals that podsecrets passes on to the command. Nothing can handle SIGKILL; SIGCHLD, SIGURG and SIGPIPE are about this process. */
const FORWARDED = signals.filter((signal) => signal !== 'SIGKILL');
