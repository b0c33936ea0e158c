/**
 * The log of a command that runs in a pod, and whether output has colours.
 */

import type { Environment } from '../core/environment.ts';
import { type Log, type LogOptions, openLog } from '../core/log.ts';
import { noticeDroppedLines, writeToStderr } from '../core/stderr.ts';
import { plural } from '../core/text.ts';
import type { Context, Output } from './context.ts';

/** The log of a command that runs in a pod. */
export function openCommandLog(context: Context): Log {
  const { settings, env, stderr, clock } = context;
  const format = logFormat(context);
  const options: LogOptions = {
    level: settings.logLevel,
    format,
    colour: format === 'text' && usesColour(env, stderr),
    now: clock.now,
    write: writeToStderr,
  };
  noticeDroppedLines((lines) => {
    let line = '';
    const write = (text: string): void => {
      line = text;
    };
    const log = openLog({ ...options, write });
    log.write('log.dropped', `${plural(lines, 'line')} of the log could not be written here`, { lines });
    return line;
  });
  return openLog(options);
}

/** Text for people who watch it in a terminal, else JSON for log collectors. */
function logFormat({ settings, stderr }: Pick<Context, 'settings' | 'stderr'>): 'json' | 'text' {
  if (settings.logFormat !== 'auto') return settings.logFormat;
  return stderr.isTerminal ? 'text' : 'json';
}

/**
 * Whether to write colours. FORCE_COLOR decides if it is set (0 and false: none), as for Node; else NO_COLOR
 * (https://no-color.org) and TERM=dumb turn them off.
 */
export function usesColour(env: Environment, output: Pick<Output, 'isTerminal'>): boolean {
  const { FORCE_COLOR, NO_COLOR, TERM } = env;
  if (FORCE_COLOR !== undefined) return !['0', 'false'].includes(FORCE_COLOR);
  return output.isTerminal && !NO_COLOR && TERM !== 'dumb';
}
