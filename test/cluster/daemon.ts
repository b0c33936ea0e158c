/** A program that runs until it is stopped. Its output goes to a log file, whose end an error can show. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface Daemon {
  readonly pid: number;
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
  /** The end of its log, under its name. */
  readonly logTail: () => string;
  /** Kills it, and resolves when it has ended. */
  readonly stop: () => Promise<void>;
}

/** Starts it with `directory` as its working directory, which also gets `NAME.log`. */
export function startDaemon(
  directory: string,
  binary: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Daemon {
  const file = join(directory, `${basename(binary)}.log`);
  const log = openSync(file, 'a');
  const child = spawn(binary, words, { cwd: directory, stdio: ['ignore', log, log], env });
  closeSync(log);
  const ended = once(child, 'close').then(
    () => {},
    () => {},
  );
  return {
    pid: child.pid ?? 0,
    ended,
    logTail: () => `${binary}:\n${readFileSync(file, 'utf8').slice(-2000)}`,
    stop() {
      child.kill('SIGKILL');
      return ended;
    },
  };
}
