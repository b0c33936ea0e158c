/**
 * `podsecrets init`: fetch once, publish, tell the application, exit.
 *
 * An init container's exit code and last line are its only voice. Nothing that only a sidecar needs is loaded.
 */

import { exitCodes } from '../core/problem.ts';
import { firstPhase } from '../sidecar/loop.ts';
import { disableJit } from '../v8/disable-jit.ts';
import type { Context } from './context.ts';
import { logRetry, openCommandLog } from './logging.ts';
import { openSync } from './open.ts';

/** How long the application may take to be told, in milliseconds. */
const NOTIFY_TIMEOUT = 30_000;

/** Publishes once, within `--start-timeout`. Throws the Problems of whatever failed, those of telling included. */
export async function init(context: Context): Promise<number> {
  const { settings, clock, stop } = context;
  disableJit();
  const log = openCommandLog(context);
  const opened = await openSync(context, log, {
    api: { apiCall() {} },
    countSync() {},
    countNotification() {},
  });
  try {
    const loopOptions = {
      clock,
      interval: Number.POSITIVE_INFINITY,
      sync: opened.sync,
      onFailure: logRetry(log),
    };
    await firstPhase(loopOptions, settings.startTimeout, stop);
    await opened.queue.drain(NOTIFY_TIMEOUT, stop);
  } finally {
    await opened.close(0);
  }
  return exitCodes.done;
}
