/**
 * The parts that init and sidecar share besides the sync: the held directories and the notifiers.
 */

import { options } from '../cli/options.ts';
import { classChoice } from '../cli/values.ts';
import { readConfig } from '../config/file.ts';
import type { Environment } from '../core/environment.ts';
import { inKubernetes } from '../core/environment.ts';
import type { Log } from '../core/log.ts';
import { type Problem, problemsOrThrow, throwProblems } from '../core/problem.ts';
import { createProblemReader, problemMessage } from '../core/problem-fields.ts';
import { createNotifiers } from '../notify/create.ts';
import type { Notifier } from '../notify/notifier.ts';
import type { RunNotification } from '../notify/request.ts';
import { type Directory, openDirectory } from '../publish/directory.ts';
import { type DirectoryHandle, type HeldDirectory, holdDirectory } from '../publish/held-directory.ts';
import { sameDirectories } from '../publish/inspect.ts';
import { createSyncTarget, type SyncTarget } from '../sidecar/target.ts';
import type { SyncMessage } from '../worker/report.ts';
import type { ConfigContent, RunSync } from '../worker/request.ts';
import type { Context } from './context.ts';
import { workerHost } from './worker-host.ts';

/** The held directories and their notifiers. */
export interface OpenedTargets {
  readonly targets: readonly SyncTarget[];
  readonly notifiers: readonly Notifier[];
  /** Waits for the removal of replaced generations, and releases the directories. */
  close(): Promise<void>;
}

/**
 * Holds the directories. If that fails, throws a Problem of stage `publish`; but if a config is invalid too, its Problems,
 * because they can be corrected on any machine.
 */
export async function openTargets(context: Context, log: Log, runSync: RunSync): Promise<OpenedTargets> {
  try {
    return await holdTargets(context, log, 0);
  } catch (error) {
    const problems = problemsOrThrow(error);
    await checkConfigs(context, runSync);
    if (!problems.some(({ code }) => code === 'publish.locked')) throw error;
    return await holdTargets(context, log, context.settings.startTimeout);
  }
}

/** Throws the problems of configs that cannot be used. */
async function checkConfigs({ settings, env, stop }: Context, runSync: RunSync): Promise<void> {
  const problems: Problem[] = [];
  const configs = settings.config.map(({ file }) => ({
    file,
    directory: { path: '', identity: '' },
    content: readContent(file, env),
    inUse: undefined,
    region: undefined,
    isVerified: false,
    publishedFiles: undefined,
    pinned: [],
  }));
  const onMessage = (message: SyncMessage): void => {
    if (message.kind === 'unusable') problems.push(...message.problems.map(createProblemReader()));
  };
  await runSync(
    { work: 'plan', phase: 'start', configs, renderLast: [], batchesDisabled: {} },
    onMessage,
    stop,
  );
  throwProblems(problems);
}

/** `lockTimeout`: milliseconds to wait for another process that holds a directory. */
async function holdTargets(context: Context, log: Log, lockTimeout: number): Promise<OpenedTargets> {
  const { settings, clock, env } = context;
  const directories: HeldDirectory[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(directories.map((directory) => directory.close()));
  };
  const paths = settings.config.map(({ dir }) => directoryOf(dir, context));
  throwProblems(sameDirectories(paths));
  try {
    for (const path of paths) directories.push(await hold(context, path, lockTimeout));
    const notifiers = await createNotifiers({
      settings,
      process: context.process,
      now: clock.now,
      directories: () => directories.map(({ path, identity }) => ({ path, identity })),
      run: notificationRunner(context, log),
    });
    const targets = settings.config.map(({ file }, index) =>
      createSyncTarget({
        file,
        held: directories[index] as HeldDirectory,
        read: () => readContent(file, env),
        clock,
        log,
      }),
    );
    return { targets, notifiers, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Holds a directory; waits `lockTimeout` milliseconds for another process. Throws a Problem of stage `publish`. */
export async function hold(context: Context, dir: string, lockTimeout: number): Promise<HeldDirectory> {
  const { settings, env, clock, stop } = context;
  return await holdDirectory({
    dir,
    allowDisk: settings.allowDisk,
    user: context.process.user,
    inKubernetes: inKubernetes(env),
    lockTimeout,
    clock,
    stop,
  });
}

/** Creates the writer to a directory that this process, or the one that started it, holds. */
export function writerTo(
  { settings, clock, stop }: Pick<Context, 'settings' | 'clock' | 'stop'>,
  directory: DirectoryHandle,
): Directory {
  return openDirectory({
    directory,
    owner: settings.owner,
    keepReplaced: settings.notifyExec !== undefined || settings.notifyUrl !== undefined,
    lockTimeout: settings.startTimeout,
    clock,
    stop,
  });
}

/** The directory of a config without one. */
export function directoryOf(dir: string | undefined, { settings }: Pick<Context, 'settings'>): string {
  return dir ?? settings.dir ?? options.dir.default;
}

/** The text of a config, or why it cannot be read; `file` as `--config` names it. */
export function readContent(file: string, env: Environment): ConfigContent {
  try {
    return { kind: 'text', text: readConfig(classChoice(file).path, env) };
  } catch (error) {
    return { kind: 'unreadable', problems: problemsOrThrow(error).map(problemMessage) };
  }
}

/** The module is loaded at the first notification, because most processes never send one. */
function notificationRunner(context: Context, log: Log): RunNotification {
  const onZombies = (zombies: number): void =>
    log.write('hook.zombieProcesses', `${zombies} ended processes of hooks could not be reaped`, { zombies });
  return async (request, stop) => {
    const { runNotification } = await import('../worker/notification.ts');
    await runNotification(request, { ...workerHost(context), self: context.process.self, onZombies }, stop);
  };
}
