/**
 * The log of the commands that run in a pod, and its line about a failed attempt.
 */

import { durationText } from '../cli/values.ts';
import type { Log } from '../core/log.ts';
import { openLog, writeToStderr } from '../core/log.ts';
import { distinct, type Problem } from '../core/problem.ts';
import type { Context } from './context.ts';

/** The log of a command that runs in a pod. */
export function openCommandLog(context: Context): Log {
  const { settings, env, stderr, clock } = context;
  const format = logFormat(context);
  return openLog({
    level: settings.logLevel,
    format,
    colour: format === 'text' && !env.NO_COLOR && env.TERM !== 'dumb' && stderr.isTerminal,
    now: clock.now,
    write: writeToStderr,
  });
}

/** Text for people who watch it in a terminal, else JSON for what collects logs. */
function logFormat({ settings, stderr }: Pick<Context, 'settings' | 'stderr'>): 'json' | 'text' {
  if (settings.logFormat !== 'auto') return settings.logFormat;
  return stderr.isTerminal ? 'text' : 'json';
}

/**
 * Reports a failed attempt of the first phase: why nothing was published yet, and how long until the next attempt. One line for
 * each cause, however many objects it stopped.
 */
export function logRetry({ start }: Context, log: Log) {
  return (problems: readonly Problem[], failures: number, delay: number): void => {
    start.problems = problems;
    const causes = Map.groupBy(distinct(problems), ({ code, message, remedy }) =>
      JSON.stringify([code, message.replace(/, request id [\w-]+/, ''), remedy]),
    );
    for (const [problem, ...others] of causes.values()) {
      if (problem === undefined) continue;
      log.problem('start.retrying', problem, {
        attempt: failures,
        retryIn: durationText(delay),
        alsoAffected: others.length === 0 ? undefined : others.map(({ subject }) => subject).join(', '),
      });
    }
  };
}
