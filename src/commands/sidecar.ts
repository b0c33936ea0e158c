/**
 * `podsecrets sidecar`: what init does, then fresh files until SIGTERM.
 *
 * The pages are up before the first phase, so that probes have an answer.
 */

import { readConfigFile } from '../config/file.ts';
import type { Log } from '../core/log.ts';
import { notifierKinds } from '../notify/create.ts';
import { createMetrics } from '../sidecar/counters.ts';
import { runSidecar } from '../sidecar/keep-fresh.ts';
import { createRefreshLimit } from '../sidecar/refresh-limit.ts';
import { reloadConfigs } from '../sidecar/reload.ts';
import { createStatusTracker } from '../sidecar/status-tracker.ts';
import { createTriggers, type Triggers } from '../sidecar/triggers.ts';
import { disableJit } from '../v8/disable-jit.ts';
import type { Context } from './context.ts';
import { logRetry, openCommandLog } from './logging.ts';
import { openSync, type SyncContext } from './open.ts';
import { readPlan } from './plans.ts';
import { watchAdoptedSecrets } from './secrets.ts';

/** How long what is being told may take after SIGTERM, in milliseconds; 5 s are promised for all of the end. */
const SHUTDOWN_NOTIFY_GRACE = 3000;

/** Between two syncs that were asked for by POST /refresh, in milliseconds. Who may send a signal may do worse. */
const REFRESH_SPACING = 1000;

/** Runs until the stop signal. Throws the Problems of the first phase; what fails later is logged and tried again. */
export async function sidecar(context: Context): Promise<number> {
  const { settings, clock, stop } = context;
  const { interval, startTimeout, listen } = settings;
  disableJit();
  const { reduceMemory: keepSmall } = await import('../v8/reduce-memory.ts');
  const collectGarbage = keepSmall();
  const log = openCommandLog(context);
  const metrics = createMetrics(notifierKinds(settings));
  const triggers = createTriggers(clock);
  // From the start: unheard, the signal would end the process.
  context.onHangup(() => triggers.trigger('signal'));
  const opened = await openSync(context, log, metrics);
  const { targets, queue, sync, sources } = opened;
  const credentials = sources.status;
  const tracker = createStatusTracker({ targets, queue, credentials, interval, clock, log });
  const closers: (() => Promise<void>)[] = [() => opened.close(SHUTDOWN_NOTIFY_GRACE)];
  try {
    let listening = 'off';
    if (listen !== 'off') {
      const { openHttpServer } = await import('../http/server.ts');
      const server = await openHttpServer(listen, {
        status: tracker.status,
        metrics: () => metrics.render(tracker.status(), context.process.figures()),
        refresh: createRefreshLimit(() => triggers.trigger('request'), REFRESH_SPACING, clock, stop),
      });
      closers.push(() => server.close());
      // With port 0 the system has chosen.
      listening = `${server.address.host}:${server.address.port}`;
    }
    return await runSidecar(
      {
        clock,
        interval,
        startTimeout,
        targets,
        sync,
        triggers,
        tracker,
        listen: listening,
        onRetry: logRetry(log),
        reload: reloader(context, log, opened, metrics.countReload),
        watch: () => watch(context, log, opened, triggers),
        onIdle: collectGarbage,
      },
      stop,
    );
  } finally {
    tracker.stopping(stop);
    await Promise.all(closers.map((close) => close()));
  }
}

function reloader(
  context: Context,
  log: Log,
  { targets, sources }: SyncContext,
  count: Parameters<typeof reloadConfigs>[0]['count'],
): () => Promise<boolean> {
  const read = async (file: string) => {
    const parsed = await readPlan(context, file);
    // An identity that cannot be had is found now, while the old plan is still in force.
    sources.of(parsed.plan);
    return parsed;
  };
  return () => reloadConfigs({ targets, readPlan: read, log, count });
}

async function watch(
  context: Context,
  log: Log,
  { targets }: SyncContext,
  triggers: Triggers,
): Promise<void> {
  const { clock, stop } = context;
  void watchAdoptedSecrets(context, targets, () => triggers.trigger('secrets'));
  const { watchConfigs } = await import('../config/watcher.ts');
  const files = targets.map((publication) => publication.plan().file);
  const changed = () => triggers.trigger('config');
  watchConfigs({ files, read: configText, changed, clock, log }, stop);
}

/** What a config says, or what its error says. */
function configText(file: string): string {
  try {
    return readConfigFile(file);
  } catch (error) {
    return String(error);
  }
}
