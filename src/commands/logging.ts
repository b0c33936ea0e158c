/**
 * How the log of a command looks, and the line that says what is waited for.
 */

import { durationText } from '../cli/values.ts';
import type { Log } from '../core/log.ts';
import { openLog, writeToStderr } from '../core/log.ts';
import { distinct, type Problem } from '../core/problem.ts';
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

/** A line for each problem of a failed pass of the first phase: it says what is waited for, and how long until the next try. */
export function logRetry(log: Log) {
  return (problems: readonly Problem[], failures: number, delay: number): void => {
    for (const problem of distinct(problems)) {
      log.problem('start.retrying', problem, { attempt: failures, retryIn: durationText(delay) });
    }
  };
}
