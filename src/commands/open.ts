/**
 * What init and sidecar sync with: sources, directories and notifiers, opened as the settings say.
 */

import type { ApiMeter } from '../aws/client.ts';
import { openSources, type Sources } from '../aws/sources.ts';
import { inKubernetes } from '../core/environment.ts';
import type { Log } from '../core/log.ts';
import { throwProblems } from '../core/problem.ts';
import { noDirectory } from '../exec/no-directory.ts';
import { createNotifiers } from '../notify/create.ts';
import type { RunNotification } from '../notify/request.ts';
import { openDirectory } from '../publish/directory.ts';
import { type HeldDirectory, holdDirectory } from '../publish/held-directory.ts';
import type { SyncOptions } from '../sidecar/sync.ts';
import { createSyncTarget, type SyncTarget } from '../sidecar/target.ts';
import type { Context } from './context.ts';
import { readPlans } from './plans.ts';
import { secretsApplier } from './secrets.ts';

/** The parts of a sync, opened. */
export interface OpenedSync extends Omit<SyncOptions, 'countSync' | 'countNotification'> {
  readonly sources: Sources;
  /** Waits for the removal of replaced generations, and releases the directories. */
  close(): Promise<void>;
}

/** Reads the configs and opens what they need. Throws every problem of stage usage, config, credentials or publish. */
export async function openSync(context: Context, log: Log, meter: ApiMeter): Promise<OpenedSync> {
  const { settings, clock, stop, env } = context;
  const { configs, problems, warnings } = await readPlans(context);
  for (const warning of [...context.warnings, ...warnings]) log.problem('config.warning', warning);
  throwProblems(problems);

  const sources = openSources({ ...settings, env, clock, log, meter });
  const directories: HeldDirectory[] = [];
  const notifiers = await createNotifiers({
    settings,
    process: context.process,
    now: clock.now,
    directories: () => directories.map(({ path }) => path),
    run: notificationRunner(context, log),
  });
  const lockTimeout = settings.startTimeout;
  const hold = async (dir: string): Promise<HeldDirectory> => {
    const held = await holdDirectory({
      dir,
      allowDisk: settings.allowDisk,
      user: context.process.user,
      inKubernetes: inKubernetes(env),
      lockTimeout,
      clock,
      stop,
    });
    directories.push(held);
    return held;
  };
  const writerTo = (directory: HeldDirectory) =>
    openDirectory({
      directory,
      owner: settings.owner,
      keepReplaced: settings.notifyExec !== undefined || settings.notifyUrl !== undefined,
      lockTimeout,
      clock,
      stop,
    });
  const targets: SyncTarget[] = [];
  for (const { plan, directory: dir } of configs) {
    // Before the directory, because without its environment variables an authentication method can never work.
    sources.of(plan);
    const held = dir === undefined ? undefined : await hold(dir);
    targets.push(
      createSyncTarget({
        directory: held?.path ?? '',
        plan,
        target: held === undefined ? noDirectory : { ...held, ...writerTo(held) },
        sourceOf: sources.of,
        syncSecrets: settings.syncSecrets,
        hasNotifiers: notifiers.length > 0,
        notifyOnStart: settings.notifyOnStart,
        clock,
        log,
      }),
    );
  }
  return {
    targets,
    notifiers,
    splay: settings.notifySplay,
    applySecrets: settings.syncSecrets ? secretsApplier(context, log) : undefined,
    clock,
    log,
    sources,
    async close() {
      await Promise.all(directories.map((directory) => directory.close()));
    },
  };
}

/** Loaded at the first notification, which many starts never have. */
function notificationRunner({ clock, process }: Context, log: Log): RunNotification {
  const onZombies = (zombies: number): void =>
    log.write('hook.zombieProcesses', `${zombies} ended processes of hooks could not be reaped`, { zombies });
  return async (request, stop) => {
    const { runNotification } = await import('../worker/notification.ts');
    await runNotification(request, { ...process, clock, memoryLimit: () => undefined, onZombies }, stop);
  };
}
