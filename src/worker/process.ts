/**
 * Runs a part of the work in a separate process: a worker.
 *
 * A worker parses, connects, decrypts and has values in memory; the process that starts it does none of that, and survives any failure
 * of the worker. The worker is the same program with an internal command, in its own process group. It reads its
 * request, one line of JSON, from its standard input, and writes its report, lines of JSON, to descriptor 3: nothing is in
 * its arguments or its environment. Further requests come from descriptor 3. It is killed, with its group, if it sends no message
 * for too long or does not end in time, if its memory comes close to the limit of the container (on cgroup v2 the kernel would end
 * the whole container), and if its report is not valid or too long.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex, Writable } from 'node:stream';
import type { Clock } from '../core/clock.ts';
import type { WorkerEnd } from './end-problem.ts';
import type { WorkerMemory } from './memory.ts';
import { createMessageReader } from './messages.ts';
import { createWorkerUsage, type WorkerTimeouts } from './usage.ts';

/** The internal commands. */
type WorkerKind = 'sync' | 'notify';

/** The work of a worker, and its report. */
export interface WorkerRun {
  readonly kind: WorkerKind;
  /** Any JSON value without a secret. */
  readonly request: object;
  /** Takes each message of the report, parsed from JSON; throws if the message is not valid. `requests`: for a worker that waits. */
  readonly receive: (message: unknown, requests: Requests) => void;
  /** After these it is killed. */
  readonly timeouts: WorkerTimeouts;
  /** Whether it waits for a further request: that time does not count. Default: never. */
  readonly isWaiting?: () => boolean;
  /** A descriptor that the worker inherits as its descriptor 4. */
  readonly shared?: number | undefined;
}

/** What a worker reads after its request, from the descriptor of its report. */
export interface Requests {
  /** Sends a further request: any JSON value without a secret. The limits begin again. */
  send(request: object): void;
  /** No other request follows. */
  end(): void;
}

/** The program, and the effects that starting workers needs. */
export interface WorkerHost {
  /** This program, and the arguments before the internal command. */
  readonly program: { readonly file: string; readonly args: readonly string[] };
  readonly clock: Clock;
  /** kill(2); a negative pid is a process group. Throws the error of the system. */
  readonly kill: (pid: number, signal: NodeJS.Signals) => void;
  /** Called when a worker starts; returns a function that reads its memory. */
  readonly memory: () => (pid: number | undefined) => WorkerMemory;
}

/** Milliseconds from SIGTERM to SIGKILL: a publish that is in progress may finish. */
const GRACE = 2000;

/** Milliseconds between two checks of a worker. */
export const CHECK_INTERVAL = 50;

/** The same, if its memory is more than half of the limit, which it may then reach fast. */
const CHECK_INTERVAL_NEAR_LIMIT = 5;

/** Milliseconds until the next check. */
export function nextCheck({ used, limit }: WorkerMemory): number {
  return used > limit / 2 ? CHECK_INTERVAL_NEAR_LIMIT : CHECK_INTERVAL;
}

/** Milliseconds from the end of a worker to that of its report, if another process holds the pipe. */
export const PIPE_TIMEOUT = 1000;

/** The pids of the workers whose end Node has not reported yet. */
const running = new Set<number>();

/** Whether the process is a worker whose end Node has not reported yet: nothing else may wait for it. */
export function isRunningWorker(pid: number): boolean {
  return running.has(pid);
}

/**
 * Runs a worker to its end, and ends its process group. When `stop` is aborted the worker gets SIGTERM,
 * and SIGKILL 2 s later; the end is then that of the worker. Never rejects.
 */
export async function runWorker(run: WorkerRun, host: WorkerHost, stop: AbortSignal): Promise<WorkerEnd> {
  const { clock, kill, program } = host;
  const finished = new AbortController();
  const child = startWorker(run, program);
  if (typeof child === 'string') return { kind: 'notStarted', code: child };
  const ended = endOfWorker(child);
  // Node creates no streams if it has no descriptor left for them.
  if (child.stdio === undefined) return await ended;
  let cause: WorkerEnd | undefined;

  const signalTo = (pid: number, signal: NodeJS.Signals): void => {
    try {
      kill(pid, signal);
    } catch {
      // It has ended.
    }
  };
  const killGroup = (): void => {
    if (child.pid !== undefined) signalTo(-child.pid, 'SIGKILL');
  };
  const killIf = (found: WorkerEnd | undefined): void => {
    if (found === undefined) return;
    cause ??= found;
    killGroup();
  };
  const terminate = (): void => {
    if (child.pid !== undefined) signalTo(child.pid, 'SIGTERM');
    clock.sleep(GRACE, finished.signal).then(killGroup, () => {});
  };

  let usage = createWorkerUsage(run.timeouts);
  const report = child.stdio[3] as Duplex;
  const requests: Requests = {
    send(request) {
      usage = createWorkerUsage(run.timeouts);
      report.write(lineOf(request));
    },
    end: () => void report.end(),
  };
  report.on(
    'data',
    createMessageReader({
      usage: () => usage,
      receive: (message) => run.receive(message, requests),
      killIf,
      isKilled: () => cause !== undefined,
    }),
  );
  report.on('error', () => {});
  const reading = new Promise<void>((resolve) => report.once('close', resolve));
  writeRequest(child.stdin as Writable, run.request);
  if (stop.aborted) terminate();
  else stop.addEventListener('abort', terminate, { once: true });
  void watch(child.pid);

  const end = await ended;
  // A process that the worker started may live on and keep the pipe of the report open, in its process group or outside.
  killGroup();
  await Promise.race([reading, clock.sleep(PIPE_TIMEOUT, finished.signal).catch(() => {})]);
  report.destroy();
  finished.abort();
  stop.removeEventListener('abort', terminate);
  return cause ?? end;

  async function watch(pid: number | undefined): Promise<void> {
    let pause = CHECK_INTERVAL;
    let memoryOf: ReturnType<WorkerHost['memory']> | undefined;
    for (;;) {
      await clock.sleep(pause, finished.signal).catch(() => {});
      if (finished.signal.aborted) return;
      if (run.isWaiting?.() !== true) killIf(usage.time(pause));
      memoryOf ??= host.memory();
      const memory = memoryOf(pid);
      if (memory.used > memory.limit) killIf({ kind: 'memory', ...memory });
      pause = nextCheck(memory);
    }
  }
}

/** The process, or the system's error code. */
function startWorker(
  { kind, shared }: WorkerRun,
  { file, args }: WorkerHost['program'],
): ChildProcess | string {
  try {
    return spawn(file, [...args, 'worker', kind], {
      argv0: 'podsecrets',
      // Its standard error is closed, because the last messages of V8 are not JSON and may quote values.
      stdio: ['pipe', 'ignore', 'ignore', 'pipe', shared ?? 'ignore'],
      detached: true,
    });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

/** Resolves at the end of a process that Node started, which `isRunningWorker` includes until then. */
export function endOfWorker(child: ChildProcess): Promise<WorkerEnd> {
  const { pid } = child;
  if (pid !== undefined) running.add(pid);
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      resolve({ kind: 'notStarted', code: error.code ?? 'an error' }),
    );
    child.once('exit', (code, signal) => {
      if (pid !== undefined) running.delete(pid);
      resolve(signal === null ? { kind: 'exited', code: code ?? 1 } : { kind: 'signal', signal });
    });
  });
}

/** The worker may end before it has read everything: its end then has the reason. */
function writeRequest(stdin: Writable, request: object): void {
  stdin.on('error', () => {});
  stdin.end(lineOf(request));
}

function lineOf(request: object): string {
  return `${JSON.stringify(request)}\n`;
}
