/**
 * Tells the application by running a command: a hook.
 *
 * A list of words, never a shell. It runs in a process group of its own with an environment of its own, has a time limit,
 * and leaves nothing behind: when it ends, or has to end, its whole group ends with it. Of its output only the last lines
 * are shown, only when it failed, and only after every published value was taken out.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { durationText } from '../cli/values.ts';
import type { Environment } from '../core/environment.ts';
import { Problem } from '../core/problem.ts';
import { quote } from '../core/text.ts';
import { hookEnvironment, lastLines } from './hook-output.ts';
import type { Notifier } from './notifier.ts';
import { changedPaths } from './pending-names.ts';
import { reapZombies } from './reap.ts';

/** What a hook gets, and how long it may run. */
export interface ExecOptions {
  /** Our own environment, of which the hook gets a part. */
  readonly environment: Environment;
  /** Our own pid: process 1 has the orphans of its hooks to reap. */
  readonly self: number;
  /** Takes published values out of what the hook printed. */
  readonly scrub: (text: string) => string;
  /** Hears how many ended processes of its hooks process 1 could not reap, after a run that left some. */
  readonly unreaped: (zombies: number) => void;
  /** Milliseconds that a run may take; default 30 s. */
  readonly timeout?: number;
  /** Milliseconds between SIGTERM and SIGKILL for a run that has to end; default 1 s, for we have 5 s to end ourselves. */
  readonly grace?: number;
}

/** Runs the command; exit code 0 is success. */
export function execNotifier(command: readonly [string, ...string[]], options: ExecOptions): Notifier {
  const { environment, self, scrub, unreaped, timeout = 30_000, grace = 1_000 } = options;
  const [program, ...words] = command;
  return {
    kind: 'exec',
    async notify(change, signal) {
      signal.throwIfAborted();
      try {
        const child = spawn(program, words, {
          detached: true,
          env: hookEnvironment(environment, changedPaths(change)),
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        const { late, code, killedBy, output } = await ending(child, signal, timeout, grace);
        signal.throwIfAborted();
        if (late || code !== 0) {
          const found = late
            ? `expected it to end within ${durationText(timeout)}, got no end of it`
            : `expected exit code 0, got ${killedBy ?? code}`;
          throw failure(program, found, lastLines(scrub(output)));
        }
      } catch (error) {
        throw startFailure(program, error) ?? error;
      } finally {
        const zombies = await reapZombies(self);
        if (zombies > 0) unreaped(zombies);
      }
    },
  };
}

interface Ending {
  /** It had to be ended for the time it took. */
  readonly late: boolean;
  readonly code: number | null;
  readonly killedBy: NodeJS.Signals | null;
  readonly output: string;
}

/** Milliseconds in which the rest of the output may come after the end of the hook, from a process that left the group. */
const DRAIN = 200;

/** Waits for the end of the hook and of its group, which comes soon after `timeout` or `signal`. Rejects when it could not start. */
function ending(child: ChildProcess, signal: AbortSignal, timeout: number, grace: number): Promise<Ending> {
  const output = collect(child);
  return new Promise((resolve, reject) => {
    let late = false;
    let timer = setTimeout(() => {
      late = true;
      stop();
    }, timeout);
    const stop = (): void => {
      clearTimeout(timer);
      signalGroup(child, 'SIGTERM');
      timer = setTimeout(signalGroup, grace, child, 'SIGKILL');
    };
    const over = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    };
    signal.addEventListener('abort', stop, { once: true });
    child.once('error', (error) => {
      over();
      reject(error);
    });
    child.once('exit', () => {
      over();
      // What it left running in its group would stay for ever, once for every rotation.
      signalGroup(child, 'SIGKILL');
      timer = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, DRAIN);
    });
    child.once('close', (code, killedBy) => {
      over();
      resolve({ late, code, killedBy, output: output() });
    });
  });
}

/** Bytes of output kept: more than the largest secret (64 KiB), so that none is cut before it can be recognised. */
const OUTPUT_KEPT = 160 * 1024;

/** Gathers the newest OUTPUT_KEPT bytes of both streams, as they come. */
function collect(child: ChildProcess): () => string {
  const kept: Buffer[] = [];
  let size = 0;
  const take = (chunk: Buffer): void => {
    kept.push(chunk);
    size += chunk.length;
    while (size - (kept[0]?.length ?? 0) >= OUTPUT_KEPT) size -= kept.shift()?.length ?? 0;
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  return () => Buffer.concat(kept).toString('utf8');
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // ESRCH: the group is gone, which is what was wanted. EPERM: the hook became another user, and is its own affair.
  }
}

function failure(program: string, message: string, said: string): Problem {
  return new Problem({
    code: 'notify.exec',
    subject: `hook ${quote(program)}`,
    message: said === '' ? `${message}; it printed nothing` : `${message}; it printed at last: ${said}`,
    remedy: 'Correct what it complains of, or run it by hand in this container.',
    retry: true,
  });
}

/** Why a command could not be started; undefined for any other error. */
function startFailure(program: string, error: unknown): Problem | undefined {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall?.startsWith('spawn') !== true) return undefined;
  return new Problem({
    code: 'notify.exec',
    subject: `hook ${quote(program)}`,
    message: `expected a program that can be started, got ${code}`,
    remedy: startRemedies[code] ?? 'Name a program in this container by its path.',
    retry: startRemedies[code] === SHORTAGE,
  });
}

/** May pass. */
const SHORTAGE = 'Give this container more memory or processes.';

const startRemedies: Readonly<Record<string, string>> = {
  EAGAIN: SHORTAGE,
  ENOMEM: SHORTAGE,
  EMFILE: SHORTAGE,
  ENFILE: SHORTAGE,
  ENOENT:
    'Name a program in this container by its path, with its interpreter if it is a script; the image has no shell.',
  EACCES: 'Make the file executable for the user podsecrets runs as, on a volume that is not mounted noexec.',
  E2BIG: 'Shorten the command.',
};
