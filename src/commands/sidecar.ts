/**
 * `podsecrets sidecar`: like init, then keeps the files up to date until SIGTERM. Each sync is a separate process.
 */

import { classChoice } from '../cli/values.ts';
import { configVariable, readConfig } from '../config/file.ts';
import { notifierKinds } from '../notify/create.ts';
import { createMetrics } from '../sidecar/metrics.ts';
import { runSidecar } from '../sidecar/run.ts';
import { createTriggers } from '../sidecar/triggers.ts';
import { createCollector } from '../v8/collect-garbage.ts';
import { closeCredentialsFile, openCredentialsFile } from '../worker/credentials-file.ts';
import type { Context } from './context.ts';
import { serverOf } from './endpoints.ts';
import { openCommandLog } from './logging.ts';
import { directoryOf, openTargets } from './open.ts';
import { watchAdoptedSecrets } from './secrets.ts';
import { spawnedSync } from './spawned-sync.ts';

/** Runs until the stop signal. Throws the Problems of the first phase; later failures are logged and retried. */
export async function sidecar(context: Context): Promise<number> {
  const { settings, clock, stop } = context;
  const log = openCommandLog(context);
  for (const warning of context.warnings) log.problem('config.warning', warning);
  const metrics = createMetrics(notifierKinds(settings));
  const triggers = createTriggers(clock);
  // From the start, because without a listener the signal would end the process.
  context.onHangup(() => triggers.trigger('signal'));
  const shared = openCredentialsFile([
    ...settings.config.map(({ dir }) => directoryOf(dir, context)),
    '/dev/shm',
  ]);
  const { runSync, endStart } = spawnedSync(context, shared);
  const opened = await openTargets(context, log, runSync);
  context.start.isDone = () => opened.targets.every((target) => target.isReady());
  return await runSidecar(
    {
      ...opened,
      runSync,
      endStart,
      splay: settings.notifySplay,
      clock,
      log,
      interval: settings.interval,
      startTimeout: settings.startTimeout,
      triggers,
      exitOnChange: settings.exitOnChange,
      metrics,
      async watch(onChange) {
        const { watchConfigs } = await import('../config/watcher.ts');
        const files = opened.targets.map(({ file }) => classChoice(file).path);
        // A variable cannot change.
        const watched = files.filter((file) => configVariable(file) === undefined);
        await watchConfigs({ files: watched, read: configText, changed: onChange, clock, log }, stop);
      },
      watchSecrets(areStale) {
        void watchAdoptedSecrets(context, areStale, () => triggers.trigger('secrets'));
      },
      onRetry(problems) {
        context.start.problems = problems;
      },
      openServer: serverOf(settings.listen),
      processFigures: context.process.figures,
      onIdle: createCollector(),
      async close() {
        await opened.close();
        if (shared !== undefined) closeCredentialsFile(shared);
      },
    },
    stop,
  );
}

/** The text of a config, or of the error if it cannot be read: a change of either is an edit. */
function configText(file: string): string {
  try {
    return readConfig(file, {});
  } catch (error) {
    return String(error);
  }
}
