/**
 * One sync with the real effects: AWS, the directory, Kubernetes. `init` runs it in its own process, a sidecar in a worker.
 */

import type { ApiMeter } from '../aws/client.ts';
import type { SourceState } from '../aws/source-state.ts';
import { openSources, type Sources } from '../aws/sources.ts';
import type { Settings } from '../cli/options.ts';
import type { Plan } from '../config/plan.ts';
import type { Log } from '../core/log.ts';
import { notifierKinds } from '../notify/create.ts';
import { keptFiles } from '../publish/kept-files.ts';
import { collectGarbage } from '../v8/collect-garbage.ts';
import type { RunSync } from '../worker/request.ts';
import { createSyncWorker } from '../worker/sync.ts';
import type { WorkerContext } from './context.ts';
import { writerTo } from './open.ts';
import { parseConfig } from './plans.ts';
import { areSecretsStale, secretsApplier } from './secrets.ts';

/** The dependencies of a sync. */
export interface SyncParts extends Pick<WorkerContext, 'env' | 'clock' | 'stop'> {
  readonly settings: Settings;
  readonly log: Log;
  readonly meter: ApiMeter;
  /** Default: nothing is kept after the end of the process. */
  readonly state?: SourceState | undefined;
  /** The process syncs until the first success. */
  readonly keepsValues: boolean;
}

/** Syncs in this process. */
export interface OpenedSync {
  readonly runSync: RunSync;
  /** Whether values of earlier syncs are kept. */
  readonly hasValues: () => boolean;
}

/** Nothing is opened before the first sync needs it. */
export function openSync(parts: SyncParts): OpenedSync {
  const { settings, env, clock, log, meter, state, keepsValues } = parts;
  let opened: Sources | undefined;
  const sources = (): Sources => {
    opened ??= openSources({
      ...settings,
      env,
      clock,
      log,
      meter,
      keepsValues,
      collectGarbage,
      state,
    });
    return opened;
  };
  const runSync = createSyncWorker({
    parse: (text, { file }, region) => parseConfig(parts, text, file, { region }),
    sourceOf: (plan: Plan) => sources().of(plan),
    credentials: () => opened?.status(),
    openDirectory: (directory) => ({
      ...writerTo(parts, directory),
      keptFiles: keptFiles(directory.path),
    }),
    hasNotifiers: notifierKinds(settings).length > 0,
    notifyOnStart: settings.notifyOnStart,
    applySecrets: settings.syncSecrets ? secretsApplier(parts, log) : undefined,
    areSecretsStale: (plans, signal) => areSecretsStale(parts, plans, signal),
    log,
  });
  return { runSync, hasValues: () => opened?.hasValues() === true };
}
