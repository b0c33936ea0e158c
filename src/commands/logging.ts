/**
 * The log of a command that runs in a pod.
 */

import type { Log } from '../core/log.ts';
import { openLog, writeToStderr } from '../core/log.ts';
import type { Context } from './context.ts';
import { usesColour } from './uses-colour.ts';

/** The log of a command that runs in a pod. */
export function openCommandLog(context: Context): Log {
  const { settings, env, stderr, clock } = context;
  const format = logFormat(context);
  return openLog({
    level: settings.logLevel,
    format,
    colour: format === 'text' && usesColour(env, stderr),
    now: clock.now,
    write: writeToStderr,
  });
}

/** Text for people who watch it in a terminal, else JSON for log collectors. */
function logFormat({ settings, stderr }: Pick<Context, 'settings' | 'stderr'>): 'json' | 'text' {
  if (settings.logFormat !== 'auto') return settings.logFormat;
  return stderr.isTerminal ? 'text' : 'json';
}
