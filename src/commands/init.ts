/**
 * `podsecrets init`: fetch once, publish, tell the application, exit.
 *
 * An init container's exit code and last line are its only voice. Nothing that only a sidecar needs is loaded.
 */

import { firstPhase } from '../agent.ts';
import { exitCodes } from '../core/problem.ts';
import { compileLess } from '../edge/v8/compile-less.ts';
import type { Context } from './context.ts';
import { logWaiting, openCommandLog } from './logging.ts';
import { openPublishing } from './publishing.ts';

/** How long the application may take to be told, in milliseconds. */
const TELLING = 30_000;

/** Publishes once, within `--start-timeout`. Throws the Problems of whatever failed, those of telling included. */
export async function init(context: Context): Promise<number> {
  const { settings, clock, stop } = context;
  compileLess(context.env.AWS_ENDPOINT_URL);
  const log = openCommandLog(context);
  const publishing = await openPublishing(context, log, {
    api: { apiCall() {} },
    publishes() {},
    notifications() {},
  });
  try {
    const agent = {
      clock,
      interval: Number.POSITIVE_INFINITY,
      pass: publishing.pass,
      failed: logWaiting(log),
    };
    await firstPhase(agent, settings.startTimeout, stop);
    await publishing.teller.told(TELLING, stop);
  } finally {
    await publishing.close(0);
  }
  return exitCodes.done;
}
