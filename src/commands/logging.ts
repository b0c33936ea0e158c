/**
 * The log of a command that runs in a pod.
 */

import type { Log } from '../core/log.ts';
import { openLog, writeToStderr } from '../core/log.ts';
import type { Context } from './context.ts';

/** The log of a command that runs in a pod. */
export function openCommandLog({ settings, env, stderr, clock }: Context): Log {
  return openLog({
    level: settings.logLevel,
    format: settings.logFormat,
    // Asking whether stderr is a terminal opens it, so only text asks.
    colour: settings.logFormat === 'text' && !env.NO_COLOR && env.TERM !== 'dumb' && stderr.isTerminal,
    now: clock.now,
    write: writeToStderr,
  });
}
