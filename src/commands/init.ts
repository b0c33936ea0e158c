/**
 * `podsecrets init`: fetch once, publish, tell the application, exit.
 *
 * An init container's exit code and last line are its only voice. Nothing that only a sidecar needs is loaded.
 */

import { firstPhase } from '../sidecar/loop.ts';
import { exitCodes } from '../core/problem.ts';
import { disableJit } from '../v8/disable-jit.ts';
import type { Context } from './context.ts';
import { logRetry, openCommandLog } from './logging.ts';
import { openSync } from './open.ts';

/** How long the application may take to be told, in milliseconds. */
const NOTIFY_TIMEOUT = 30_000;

/** Publishes once, within `--start-timeout`. Throws the Problems of whatever failed, those of telling included. */
export async function init(context: Context): Promise<number> {
  const { settings, clock, stop } = context;
  disableJit(context.env.AWS_ENDPOINT_URL);
  const log = openCommandLog(context);
  const publishing = await openSync(context, log, {
    api: { apiCall() {} },
    countSync() {},
    countNotification() {},
  });
  try {
    const agent = {
      clock,
      interval: Number.POSITIVE_INFINITY,
      pass: publishing.sync,
      failed: logRetry(log),
    };
    await firstPhase(agent, settings.startTimeout, stop);
    await publishing.queue.drain(NOTIFY_TIMEOUT, stop);
  } finally {
    await publishing.close(0);
  }
  return exitCodes.done;
}
