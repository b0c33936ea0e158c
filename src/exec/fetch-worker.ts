/**
 * The process that fetches a set and then becomes the command: a worker first, the command afterwards.
 *
 * Not detached: the command is in the process group, and has the terminal, of podsecrets. So it is killed by its pid. It is killed
 * when it takes too long, reports too much or uses too much memory, but never once it is the command.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import type { Clock } from '../core/clock.ts';
import { distinct, type Problem, throwProblems } from '../core/problem.ts';
import { createProblemReader } from '../core/problem-fields.ts';
import { bugProblem, endProblem, type WorkerEnd } from '../worker/end-problem.ts';
import { createMessageReader } from '../worker/messages.ts';
import { CHECK_INTERVAL, endOfWorker, nextCheck, PIPE_TIMEOUT, type WorkerHost } from '../worker/process.ts';
import type { SyncMessage } from '../worker/report.ts';
import { createWorkerUsage, type WorkerTimeouts } from '../worker/usage.ts';
import { type ExecStep, isReply, type Reply, readExecMessage } from './worker-report.ts';

/** A process that has a complete set and waits. */
export interface Candidate {
  /** Equal for equal sets. */
  readonly digest: string;
  isAlive(): boolean;
  /** Publishes the files; resolves with whether they changed. Rejects with Problems. */
  publish(): Promise<boolean>;
  /**
   * Becomes the command. Calls back before it, because a signal may arrive at once. Rejects with a Problem if the command cannot
   * be started.
   */
  start(onChild: (child: Child) => void): Promise<void>;
  /** Ends it. Has no effect on a command. */
  discard(): void;
}

/** The running command. */
export interface Child {
  readonly pid: number;
  /** Resolves at its end: the exit code as a shell has it, and the signal that ended it. */
  readonly ended: Promise<{ readonly code: number; readonly signal: string | undefined }>;
  /** Has no effect after its end. */
  signal(signal: NodeJS.Signals): void;
}

/** What to start. */
export interface CommandProcessOptions {
  readonly host: () => WorkerHost;
  /** A descriptor that it inherits as its descriptor 4 while it is a worker. */
  readonly shared: number | undefined;
  /** After these it is killed. Only its work counts, not the time between two steps. */
  readonly timeouts: WorkerTimeouts;
}

/** A set to fetch, and where the messages of its sync go. */
export interface CommandFetch {
  /** Any JSON value without a secret. */
  readonly request: object;
  readonly receive: (message: SyncMessage) => void;
}

/** Fetches sets, each in a process of its own. */
export interface CommandFetcher {
  /**
   * Resolves with the process that waits with a new set; undefined: the set has not changed, or the report has the problems. Rejects
   * with a Problem if the process did not finish, or with the reason of `stop`.
   */
  fetch(options: CommandFetch, stop: AbortSignal): Promise<Candidate | undefined>;
  /** Ends the process that waits for the next attempt of the start, if there is one. */
  close(): void;
}

/** The attempts of a start share one process, as long as it has values that the next attempt needs. */
export function createCommandFetcher(options: CommandProcessOptions): CommandFetcher {
  let waiting: CommandWorker | undefined;
  return {
    async fetch({ request, receive }, stop) {
      const worker = waiting?.isAlive() ? waiting : await startWorker(options);
      waiting = undefined;
      const onStop = (): void => worker.kill();
      stop.addEventListener('abort', onStop, { once: true });
      try {
        if (stop.aborted) onStop();
        worker.request(request, receive);
        const reply = await worker.reply();
        stop.throwIfAborted();
        if (reply.kind === 'unchanged') return undefined;
        if (reply.kind === 'rejected') {
          receive({ kind: 'unusable', problems: reply.problems });
          if (reply.waits) waiting = worker;
          return undefined;
        }
        if (reply.kind === 'prepared') return candidateOf(reply.digest, worker);
        throw unexpected(reply, worker);
      } catch (error) {
        stop.throwIfAborted();
        throw error;
      } finally {
        stop.removeEventListener('abort', onStop);
      }
    },
    close: () => waiting?.kill(),
  };
}

interface CommandWorker {
  readonly child: ChildProcess;
  readonly ended: Promise<WorkerEnd>;
  isAlive(): boolean;
  request(request: object, receive: CommandFetch['receive']): void;
  /** The next reply. Rejects with a Problem if the process ends without one, or is killed. */
  reply(): Promise<Reply>;
  send(step: ExecStep): void;
  /**
   * Resolves when the descriptor of the report is closed: by the end of the process, or because it became the command. Rejects with
   * a Problem if the process was killed.
   */
  readonly closed: Promise<void>;
  kill(): void;
}

function candidateOf(digest: string, worker: CommandWorker): Candidate {
  const { child, ended, isAlive } = worker;
  return {
    digest,
    isAlive,
    async publish() {
      worker.send('publish');
      const reply = await worker.reply();
      throwRejected(reply);
      if (reply.kind !== 'ready') throw unexpected(reply, worker);
      return reply.changed;
    },
    async start(onChild) {
      const command: Child = {
        pid: child.pid ?? 0,
        ended: ended.then(exitOf),
        signal(signal) {
          if (isAlive()) child.kill(signal);
        },
      };
      onChild(command);
      const failure = worker.reply();
      failure.catch(() => {});
      worker.send('start');
      const reply = await Promise.race([worker.closed, failure]);
      if (reply === undefined) return;
      throwRejected(reply);
      throw unexpected(reply, worker);
    },
    discard: worker.kill,
  };
}

/** Starts the process, reads what it sends, and kills it if it makes no progress. Rejects with a Problem. */
async function startWorker(options: CommandProcessOptions): Promise<CommandWorker> {
  const { shared, timeouts } = options;
  const host = options.host();
  const started = startProcess(host.program, shared);
  if (typeof started === 'string') throw problemOf({ kind: 'notStarted', code: started });
  const child = started;
  const ended = endOfWorker(child);
  // Node creates no streams if it has no descriptor left for them.
  if (child.stdio === undefined) throw problemOf(await ended);
  const socket = child.stdio[3] as unknown as Socket;
  const { clock } = host;
  let receive: CommandFetch['receive'] = () => {};
  const never = new AbortController().signal;
  const replies: Reply[] = [];
  let waiting: PromiseWithResolvers<Reply> | undefined;
  let lost: Problem | undefined;
  let cause: WorkerEnd | undefined;
  let hasEnded = false;
  let isStarting = false;
  let isCommand = false;
  let usage = createWorkerUsage(timeouts);
  const killIf = (found: WorkerEnd | undefined): void => {
    if (found === undefined) return;
    cause ??= found;
    if (!hasEnded && !isCommand) child.kill('SIGKILL');
  };
  const closed = Promise.withResolvers<void>();
  closed.promise.catch(() => {});
  socket.once('close', () => {
    isCommand = isStarting;
    if (cause === undefined) closed.resolve();
    else closed.reject(problemOf(cause));
  });
  socket.on('error', () => {});
  socket.on(
    'data',
    createMessageReader({
      usage: () => usage,
      receive(value) {
        const message = readExecMessage(value);
        if (!isReply(message)) {
          receive(message);
          return;
        }
        if (waiting === undefined) replies.push(message);
        else waiting.resolve(message);
        waiting = undefined;
      },
      killIf,
      isKilled: () => cause !== undefined,
    }),
  );
  void Promise.allSettled([ended, closed.promise]).then(async () => {
    const end = await ended;
    lost = problemOf(cause ?? end);
    waiting?.reject(lost);
  });
  void ended.then(async () => {
    hasEnded = true;
    await clock.sleep(PIPE_TIMEOUT, never);
    socket.destroy();
  });
  void watch(clock);

  async function watch({ sleep }: Clock): Promise<void> {
    const memoryOf = host.memory();
    for (let pause = CHECK_INTERVAL; ; ) {
      await sleep(pause, never);
      if (hasEnded || isCommand) return;
      // Between two steps it is idle: while the old command stops, and during a random delay.
      if (waiting !== undefined) killIf(usage.time(pause));
      const memory = memoryOf(child.pid);
      // While it starts it can be the command already, before the end of its report was read.
      if (memory.used > memory.limit && !isStarting) killIf({ kind: 'memory', ...memory });
      pause = nextCheck(memory);
    }
  }

  return {
    child,
    ended,
    isAlive: () => !hasEnded,
    request(request, receiver) {
      receive = receiver;
      usage = createWorkerUsage(timeouts);
      socket.write(`${JSON.stringify(request)}\n`);
    },
    reply() {
      const next = replies.shift();
      if (next !== undefined) return Promise.resolve(next);
      if (lost !== undefined) return Promise.reject(lost);
      waiting = Promise.withResolvers<Reply>();
      return waiting.promise;
    },
    send(step) {
      if (step === 'start') isStarting = true;
      socket.write(`${step}\n`);
    },
    closed: closed.promise,
    kill() {
      if (!hasEnded && !isStarting) child.kill('SIGKILL');
    },
  };
}

function throwRejected(reply: Reply): void {
  if (reply.kind === 'rejected') throwProblems(distinct(reply.problems.map(createProblemReader())));
}

function unexpected(reply: Reply, worker: CommandWorker): Problem {
  worker.kill();
  const line = reply.kind === 'bug' ? reply.line : `an unexpected message (${reply.kind})`;
  return bugProblem(line);
}

function problemOf(end: WorkerEnd): Problem {
  return endProblem(end, { code: 'sync.killed', subject: 'sync' });
}

/** The process, or the system's error code. */
function startProcess(
  { file, args }: WorkerHost['program'],
  shared: number | undefined,
): ChildProcess | string {
  try {
    return spawn(file, [...args, 'worker', 'exec'], {
      argv0: 'podsecrets',
      stdio: ['inherit', 'inherit', 'inherit', 'pipe', shared ?? 'ignore'],
    });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

/** The exit code as a shell has it, and the signal that ended the command. */
function exitOf(end: WorkerEnd): { readonly code: number; readonly signal: string | undefined } {
  if (end.kind === 'exited') return { code: end.code, signal: undefined };
  if (end.kind !== 'signal') return { code: 1, signal: undefined };
  return { code: 128 + constants.signals[end.signal as NodeJS.Signals], signal: end.signal };
}
