/**
 * `podsecrets init`: fetches once, publishes, notifies the application, exits. Code that only a sidecar needs is not loaded.
 */

import { exitCodes } from '../core/problem.ts';
import { firstPhase, logRetry } from '../sidecar/loop.ts';
import { createSync } from '../sidecar/sync.ts';
import type { Context } from './context.ts';
import { openCommandLog } from './logging.ts';
import { openTargets } from './open.ts';
import { openSync } from './sync.ts';

/** Milliseconds that notifications may take. */
const NOTIFY_TIMEOUT = 30_000;

/** Publishes once, within `--start-timeout`. Throws the Problems of what failed, those of notifications included. */
export async function init(context: Context): Promise<number> {
  const { settings, clock, stop } = context;
  const log = openCommandLog(context);
  for (const warning of context.warnings) log.problem('config.warning', warning);
  const meter = { apiCall() {} };
  const { runSync } = openSync({ ...context, log, meter, keepsValues: true });
  const opened = await openTargets(context, log, runSync);
  try {
    const { queue, sync } = createSync({
      ...opened,
      runSync,
      splay: settings.notifySplay,
      clock,
      log,
      meter,
      countSync() {},
      countReload() {},
      countNotification() {},
    });
    try {
      const interval = Number.POSITIVE_INFINITY;
      const onRetry = logRetry(log, (problems) => {
        context.start.problems = problems;
      });
      await firstPhase({ clock, interval, sync, onRetry }, settings.startTimeout, stop);
      context.start.isDone = () => true;
      await queue.drain(NOTIFY_TIMEOUT, stop);
    } finally {
      await queue.close(0);
    }
  } finally {
    await opened.close();
  }
  return exitCodes.done;
}
