/**
 * `podsecrets sidecar`: what init does, then keeps the files fresh until SIGTERM.
 */

import type { Settings } from '../cli/options.ts';
import { classChoice } from '../config/class-choice.ts';
import { configVariable, readConfig } from '../config/file.ts';
import { notifierKinds } from '../notify/create.ts';
import { createMetrics } from '../sidecar/metrics.ts';
import { type PageServer, runSidecar, type SidecarOptions } from '../sidecar/run.ts';
import { createTriggers } from '../sidecar/triggers.ts';
import { disableJit } from '../v8/disable-jit.ts';
import type { Context } from './context.ts';
import { openCommandLog } from './logging.ts';
import { openSync } from './open.ts';
import { readPlan } from './plans.ts';
import { watchAdoptedSecrets } from './secrets.ts';

/** Runs until the stop signal. Throws the Problems of the first phase; later failures are logged and retried. */
export async function sidecar(context: Context): Promise<number> {
  const { settings, clock, stop } = context;
  disableJit();
  const { reduceMemory } = await import('../v8/reduce-memory.ts');
  const collectGarbage = reduceMemory();
  const log = openCommandLog(context);
  const metrics = createMetrics(notifierKinds(settings));
  const triggers = createTriggers(clock);
  // From the start, because without a listener the signal would end the process.
  context.onHangup(() => triggers.trigger('signal'));
  const { sources, ...opened } = await openSync(context, log, metrics.api);
  context.start.isDone = () => opened.targets.every((target) => target.isReady());
  return await runSidecar(
    {
      ...opened,
      interval: settings.interval,
      startTimeout: settings.startTimeout,
      triggers,
      metrics,
      credentials: sources.status,
      async readPlan(file) {
        const parsed = await readPlan(context, file);
        // An identity that is not available is an error now, while the old plan is still used.
        sources.of(parsed.plan);
        return parsed;
      },
      async watch(onChange) {
        void watchAdoptedSecrets(context, opened.targets, () => triggers.trigger('secrets'));
        const { watchConfigs } = await import('../config/watcher.ts');
        const files = opened.targets.map((target) => classChoice(target.plan().file).path);
        // A variable cannot change.
        const watched = files.filter((file) => configVariable(file) === undefined);
        await watchConfigs({ files: watched, read: configText, changed: onChange, clock, log }, stop);
      },
      onRetry(problems) {
        context.start.problems = problems;
      },
      openServer: serverOf(settings.listen),
      processFigures: context.process.figures,
      onIdle: collectGarbage,
    },
    stop,
  );
}

function serverOf(listen: Settings['listen']): SidecarOptions['openServer'] {
  if (listen === 'off') return undefined;
  return async (pages): Promise<PageServer> => {
    const { openHttpServer } = await import('../http/server.ts');
    const server = await openHttpServer(listen, pages);
    return { address: `${server.address.host}:${server.address.port}`, close: () => server.close() };
  };
}

/** The text of a config, or of the error that reading it gives. */
function configText(file: string): string {
  try {
    return readConfig(file, {});
  } catch (error) {
    return String(error);
  }
}
