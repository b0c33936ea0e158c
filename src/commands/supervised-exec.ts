/**
 * `podsecrets exec --on-change`: runs the command as a child, and acts on changes of the secrets. No value is ever in this process:
 * each set is fetched by a separate process, which then becomes the command.
 */

import { constants } from 'node:os';
import { signals } from '../cli/values.ts';
import type { EventName } from '../core/log-events.ts';
import { throwProblems } from '../core/problem.ts';
import { unblockSignals } from '../exec/become.ts';
import { type Candidate, type CommandProcessOptions, fetchInProcess } from '../exec/fetch-worker.ts';
import { supervise } from '../exec/supervise.ts';
import type { DirectoryHandle, HeldDirectory } from '../publish/held-directory.ts';
import { sameDirectories } from '../publish/inspect.ts';
import { closeCredentialsFile, openCredentialsFile } from '../worker/credentials-file.ts';
import { createProblemReader } from '../worker/problem-fields.ts';
import type { Context } from './context.ts';
import type { ExecWorkerRequest } from './exec-worker.ts';
import { openCommandLog } from './logging.ts';
import { hold } from './open.ts';
import { progressTimeoutOf } from './spawned-sync.ts';
import { workerHost } from './worker-host.ts';

/** Resolves with the exit code of the command, or 0 after `--on-change exit`. Throws the Problems of what failed before. */
export async function supervisedExec(context: Context): Promise<number> {
  const { settings, clock, args, origins, stop } = context;
  const { onChange } = settings;
  if (onChange === 'none') throw new Error('exec without --on-change has no parent');
  const log = openCommandLog(context);
  for (const warning of context.warnings) log.problem('config.warning', warning);
  const paths = settings.config.map(({ dir }) => dir ?? settings.dir);
  const used = paths.flatMap((path) => path ?? []);
  throwProblems(sameDirectories(used));
  await using closers = new AsyncDisposableStack();
  const shared = openCredentialsFile([...used, '/dev/shm']);
  if (shared !== undefined) closers.defer(() => closeCredentialsFile(shared));
  const held = new Map<string, HeldDirectory>();
  for (const path of used) {
    const directory = await hold(context, path, settings.startTimeout);
    closers.defer(() => directory.close());
    held.set(path, directory);
  }
  const directories = Object.fromEntries(
    [...held].map(([dir, { path, identity }]): [string, DirectoryHandle] => [dir, { path, identity }]),
  );
  const batchesDisabled: Record<string, number> = {};
  const problemOf = createProblemReader();
  const logged = new Set<string>();
  const receive: CommandProcessOptions['receive'] = (message) => {
    if (message.kind === 'batchesDisabled') {
      batchesDisabled[message.identity] = message.until;
      return;
    }
    if (ONCE.has(message.event)) {
      const line = JSON.stringify(message);
      if (logged.has(line)) return;
      logged.add(line);
    }
    if (message.kind === 'log') log.write(message.event, message.message, message.fields);
    else log.problem(message.event, problemOf(message.problem), message.fields);
  };

  async function fetch(known: string | undefined, signal: AbortSignal): Promise<Candidate | undefined> {
    const request: ExecWorkerRequest = {
      parent: context.process.self,
      settings,
      origins,
      args,
      directories,
      known,
      batchesDisabled,
    };
    const progressTimeout = progressTimeoutOf(settings);
    const host = workerHost(context);
    const candidate = await fetchInProcess({ host, request, shared, progressTimeout, receive }, signal);
    if (candidate === undefined) return undefined;
    return {
      ...candidate,
      async publish() {
        const changed = await candidate.publish();
        for (const directory of held.values()) await directory.removeReplaced();
        return changed;
      },
    };
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
      clock,
      log,
      fetch,
      handleSignals(listener) {
        context.handleSignals(FORWARDED, listener);
        unblockSignals();
      },
      onRetry(problems) {
        context.start.problems = problems;
      },
      exitCodeOf: (signal) => 128 + constants.signals[signal],
    },
    stop,
  );
}

/** Each process reports these, and they rarely change. */
const ONCE: ReadonlySet<EventName> = new Set([
  'config.warning',
  'credentials.source',
  'credentials.nodeRole',
  'exec.overrides',
]);

/** Signals that podsecrets passes on to the command. Nothing can handle SIGKILL; SIGCHLD, SIGURG and SIGPIPE are about this process. */
const FORWARDED = signals.filter((signal) => signal !== 'SIGKILL');
