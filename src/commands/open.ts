/**
 * What init and sidecar are made of: the edges, opened as the settings say, and one pass over them.
 */

import type { ApiMeter } from '../aws/client.ts';
import { createFetcher } from '../aws/fetcher.ts';
import { openSources, type Sources } from '../aws/sources.ts';
import { inKubernetes } from '../core/environment.ts';
import type { Log } from '../core/log.ts';
import { throwProblems } from '../core/problem.ts';
import { createNotifiers } from '../notify/create.ts';
import { redact } from '../notify/redact.ts';
import { type Directory, openDirectory } from '../publish/directory.ts';
import { createSync, type Sync, type SyncOptions } from '../sidecar/delivery.ts';
import { createSyncTarget, type SyncTarget } from '../sidecar/target.ts';
import type { Context } from './context.ts';
import { readPlans } from './plans.ts';
import { secretsApplier } from './secrets.ts';

/** Everything that a pass over the configs needs, opened. */
export interface SyncContext extends Sync {
  readonly targets: readonly SyncTarget[];
  readonly sources: Sources;
  /** Ends telling within `grace` milliseconds, and gives the directories free. */
  close(grace: number): Promise<void>;
}

/** Counters of the sidecar's metrics page; init has nobody to show them to. */
export interface SyncMetrics {
  readonly api: ApiMeter;
  readonly countSync: SyncOptions['publishes'];
  readonly countNotification: SyncOptions['notifications'];
}

/** Reads the configs and opens everything they need. Throws every problem of stage usage, config, credentials or publish. */
export async function openSync(context: Context, log: Log, meters: SyncMetrics): Promise<SyncContext> {
  const { settings, clock, stop } = context;
  const { configs, problems, warnings } = await readPlans(context);
  for (const warning of [...context.warnings, ...warnings]) log.problem('config.warning', warning);
  throwProblems(problems);

  const sources = openSources({ ...settings, env: context.env, clock, log, meter: meters.api });
  const directories: Directory[] = [];
  const values = () => directories.flatMap((directory) => directory.values());
  const notifiers = await createNotifiers(context, log, (text) => redact(text, values()));
  const targets: SyncTarget[] = [];
  for (const { plan, directory: dir } of configs) {
    // First of all: without its variables a way to authenticate has no hope, and nothing need be opened.
    sources.of(plan);
    const directory = await openDirectory({
      dir,
      owner: settings.owner,
      allowDisk: settings.allowDisk,
      user: context.process.user,
      inKubernetes: inKubernetes(context.env),
      holder: context.command,
      lockTimeout: settings.startTimeout,
      clock,
      stop,
    });
    directories.push(directory);
    targets.push(
      createSyncTarget({
        directory: directory.path,
        plan,
        target: directory,
        sourceOf: sources.of,
        syncSecrets: settings.syncSecrets,
        hasNotifiers: notifiers.length > 0,
        notifyOnStart: settings.notifyOnStart,
        clock,
        log,
      }),
    );
  }
  const sync = createSync({
    targets,
    notifiers,
    fetcher: createFetcher(),
    applySecrets: settings.syncSecrets ? secretsApplier(context, log) : undefined,
    splay: settings.notifySplay,
    clock,
    log,
    publishes: meters.countSync,
    notifications: meters.countNotification,
  });
  return {
    ...sync,
    targets,
    sources,
    async close(grace) {
      await sync.queue.close(grace);
      await Promise.all(directories.map((directory) => directory.close()));
    },
  };
}
