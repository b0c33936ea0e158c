/**
 * Notifies the application by running a command: a hook.
 *
 * A list of arguments, never a shell. It runs in its own process group with its own environment, has a time
 * limit, and leaves no process behind: when it ends, or is ended, its whole group ends with it. Of its output only the last
 * lines are shown, only when it failed, and only with every published value redacted.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { durationText } from '../cli/values.ts';
import type { Environment } from '../core/environment.ts';
import { isOpenFilesCode, OPEN_FILES_REMEDY } from '../core/open-files.ts';
import { Problem } from '../core/problem.ts';
import { hookEnvironment, lastLines } from './hook-output.ts';
import { NOT_SHOWN, type Notifier, type Redact } from './notifier.ts';
import { targetSubject } from './request.ts';

/** The environment of a hook, and how long it may run. */
export interface ExecOptions {
  /** The environment of podsecrets, of which the hook gets a part. */
  readonly environment: Environment;
  /** Replaces published values in the output of the hook; undefined if it may show a value that is unavailable. */
  readonly redact: Redact;
  /** Called at the start of a run with the id of its process group. */
  readonly onStart: (group: number) => void;
  /** Milliseconds that a run may take; default 30 s. */
  readonly timeout?: number;
  /** Milliseconds between SIGTERM and SIGKILL for a run that is ended; default 1 s, because the program has 5 s to end. */
  readonly grace?: number;
}

/** Runs the command; exit code 0 is success. */
export function execNotifier(command: readonly [string, ...string[]], options: ExecOptions): Notifier {
  const { environment, redact, onStart, timeout = 30_000, grace = 1_000 } = options;
  const [program, ...args] = command;
  const subject = targetSubject({ kind: 'exec', command });
  return {
    kind: 'exec',
    async notify(names, signal) {
      signal.throwIfAborted();
      try {
        const child = spawn(program, args, {
          detached: true,
          env: hookEnvironment(environment, names),
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        if (child.pid !== undefined) onStart(child.pid);
        const { timedOut, code, killedBy, output } = await waitForExit(child, signal, timeout, grace);
        signal.throwIfAborted();
        if (timedOut || code !== 0) {
          const result = timedOut
            ? `did not end within ${durationText(timeout)}`
            : killedBy === null
              ? `exit code ${code}`
              : `ended by ${killedBy}`;
          throw failure(subject, result, output.trim() === '' ? '' : redact(output));
        }
      } catch (error) {
        throw startFailure(subject, error) ?? error;
      }
    },
  };
}

interface Exit {
  /** It was ended because it took too long. */
  readonly timedOut: boolean;
  readonly code: number | null;
  readonly killedBy: NodeJS.Signals | null;
  readonly output: string;
}

/** Milliseconds after the end of the hook in which a process that left the group may still write output. */
const DRAIN = 200;

/** Resolves at the end of the hook and of its group, soon after `timeout` or `signal` at the latest. Rejects if it could not start. */
function waitForExit(
  child: ChildProcess,
  signal: AbortSignal,
  timeout: number,
  grace: number,
): Promise<Exit> {
  const output = keepTail(child);
  return new Promise((resolve, reject) => {
    let timedOut = false;
    let timer = setTimeout(() => {
      timedOut = true;
      stop();
    }, timeout);
    const stop = (): void => {
      clearTimeout(timer);
      signalGroup(child, 'SIGTERM');
      timer = setTimeout(signalGroup, grace, child, 'SIGKILL');
    };
    const cleanup = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    };
    signal.addEventListener('abort', stop, { once: true });
    child.once('error', (error) => {
      cleanup();
      reject(error);
    });
    child.once('exit', () => {
      cleanup();
      // Processes left in the group would run forever, and more of them after every rotation.
      signalGroup(child, 'SIGKILL');
      timer = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, DRAIN);
    });
    child.once('close', (code, killedBy) => {
      cleanup();
      resolve({ timedOut, code, killedBy, output: output() });
    });
  });
}

/** Bytes of output kept: more than the largest secret (64 KiB), so that none is cut before it can be redacted. */
const OUTPUT_KEPT = 160 * 1024;

/** Keeps the newest OUTPUT_KEPT bytes of both streams, in the order of arrival. */
function keepTail(child: ChildProcess): () => string {
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
    // ESRCH: the group has ended already. EPERM: the hook changed its user, and podsecrets may not signal it.
  }
}

function failure(subject: string, result: string, output: string | undefined): Problem {
  const shown = output === undefined ? NOT_SHOWN : lastLines(output);
  return new Problem({
    code: 'notify.exec',
    subject,
    message: shown === '' ? `${result}; no output` : `${result}; last output: ${shown}`,
    remedy: 'Correct the error that it reports, or run it manually in this container.',
    retry: true,
  });
}

/** Why a command could not be started; undefined for any other error. */
function startFailure(subject: string, error: unknown): Problem | undefined {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall?.startsWith('spawn') !== true) return undefined;
  return new Problem({
    code: 'notify.exec',
    subject,
    message: `cannot be started (${code})`,
    remedy: startRemedies[code] ?? 'Use the path of a program in this container.',
    retry: startRemedies[code] === SHORTAGE || isOpenFilesCode(code),
  });
}

/** Transient. */
const SHORTAGE = 'Give this container more memory or processes.';

const startRemedies: Readonly<Record<string, string>> = {
  EAGAIN: SHORTAGE,
  ENOMEM: SHORTAGE,
  EMFILE: OPEN_FILES_REMEDY,
  ENFILE: OPEN_FILES_REMEDY,
  ENOENT:
    'Use the path of a program in this container, and of its interpreter if it is a script; the image has no shell.',
  EACCES: 'Make the file executable for the user podsecrets runs as, on a volume that is not mounted noexec.',
  E2BIG: 'Shorten the command.',
};
