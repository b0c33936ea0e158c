/**
 * The process that fetches a set and then becomes the command: a worker first, the command afterwards.
 *
 * Not detached: the command is in the process group, and has the terminal, of podsecrets. So it is killed by its pid. It is killed
 * when it makes no progress or uses too much memory, but never after it was ordered to become the command.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import type { Clock } from '../core/clock.ts';
import { distinct, Problem, throwProblems } from '../core/problem.ts';
import { parseJson } from '../core/unknown.ts';
import { endProblem } from '../worker/end-problem.ts';
import { createLineReader } from '../worker/lines.ts';
import { privateMemory } from '../worker/memory.ts';
import { createProblemReader } from '../worker/problem-fields.ts';
import { endOfWorker, type WorkerEnd, type WorkerHost } from '../worker/process.ts';
import type { SyncMessage } from '../worker/report.ts';
import type { Candidate, Child } from './command.ts';
import { type Answer, type ExecStep, isAnswer, readExecMessage } from './worker-report.ts';

/** What to start, and where its log lines go. */
export interface CommandProcessOptions {
  readonly host: WorkerHost;
  /** Any JSON value without a secret. */
  readonly request: object;
  /** A descriptor that it inherits as its descriptor 4 while it is a worker. */
  readonly shared: number | undefined;
  /** Milliseconds without a message after which it is killed. */
  readonly silence: number;
  /** Takes the messages of the sync. */
  readonly receive: (message: SyncMessage) => void;
}

/** Milliseconds between two checks. */
const CHECK = 50;
/** Bytes of one message. */
const LONGEST_MESSAGE = 8 * 1024 * 1024;

/**
 * Fetches. Resolves with the process that waits with a new set; undefined: the set has not changed, or the report has the problems.
 * Rejects with a Problem if the process did not finish, or with the reason of `stop`.
 */
export async function fetchInProcess(
  options: CommandProcessOptions,
  stop: AbortSignal,
): Promise<Candidate | undefined> {
  const { host } = options;
  const child = startProcess(host.program, options.shared);
  if (typeof child === 'string') throw problemOf({ kind: 'refused', code: child });
  const ended = endOfWorker(child);
  // Node creates no streams if it has no descriptor left for them.
  if (child.stdio === undefined) throw problemOf(await ended);
  const socket = child.stdio[3] as unknown as Socket;
  const worker = follow(child, socket, ended, options);
  const onStop = (): void => worker.kill();
  stop.addEventListener('abort', onStop, { once: true });
  try {
    if (stop.aborted) onStop();
    socket.write(`${JSON.stringify(options.request)}\n`);
    const answer = await worker.answer();
    stop.throwIfAborted();
    if (answer.kind === 'unchanged') return undefined;
    if (answer.kind === 'refused') {
      options.receive({ kind: 'unusable', problems: answer.problems });
      return undefined;
    }
    if (answer.kind === 'prepared') return candidateOf(answer.digest, child, ended, worker);
    throw unexpected(answer, worker);
  } catch (error) {
    stop.throwIfAborted();
    throw error;
  } finally {
    stop.removeEventListener('abort', onStop);
  }
}

interface Followed {
  /** The next answer. Rejects with a Problem if the process ends without one, or is killed. */
  answer(): Promise<Answer>;
  send(step: ExecStep): void;
  /** Resolves when the descriptor of the report is closed: by the end of the process, or because it became the command. */
  readonly closed: Promise<void>;
  kill(): void;
}

function candidateOf(
  digest: string,
  child: ChildProcess,
  ended: Promise<WorkerEnd>,
  worker: Followed,
): Candidate {
  let hasEnded = false;
  const end = ended.then((found) => {
    hasEnded = true;
    return found;
  });
  return {
    digest,
    isAlive: () => !hasEnded,
    async publish() {
      worker.send('publish');
      const answer = await worker.answer();
      throwRefused(answer);
      if (answer.kind !== 'ready') throw unexpected(answer, worker);
      return answer.changed;
    },
    async start(onChild) {
      const command: Child = {
        pid: child.pid ?? 0,
        ended: end.then(exitOf),
        signal(signal) {
          if (!hasEnded) child.kill(signal);
        },
      };
      onChild(command);
      const failure = worker.answer();
      failure.catch(() => {});
      worker.send('start');
      const answer = await Promise.race([worker.closed, failure]);
      if (answer === undefined) return;
      throwRefused(answer);
      throw unexpected(answer, worker);
    },
    discard: worker.kill,
  };
}

/** Reads what the process sends, and kills it if it makes no progress. */
function follow(
  child: ChildProcess,
  socket: Socket,
  ended: Promise<WorkerEnd>,
  { host, silence, receive }: CommandProcessOptions,
): Followed {
  const { clock } = host;
  const answers: Answer[] = [];
  let waiting: PromiseWithResolvers<Answer> | undefined;
  let lost: Problem | undefined;
  let cause: WorkerEnd | undefined;
  let silentChecks = 0;
  let hasEnded = false;
  let isCommand = false;
  const kill = (): void => {
    if (!hasEnded && !isCommand) child.kill('SIGKILL');
  };
  const killBecause = (found: WorkerEnd): void => {
    cause ??= found;
    kill();
  };
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => {});
  socket.on(
    'data',
    createLineReader(LONGEST_MESSAGE, (line) => {
      silentChecks = 0;
      try {
        const message = readExecMessage(line === undefined ? undefined : parseJson(line));
        if (!isAnswer(message)) {
          receive(message);
          return;
        }
        if (waiting === undefined) answers.push(message);
        else waiting.resolve(message);
        waiting = undefined;
      } catch (error) {
        killBecause({ kind: 'report', reason: error instanceof Error ? error.message : String(error) });
      }
    }),
  );
  void Promise.all([ended, closed]).then(([end]) => {
    lost = problemOf(cause ?? end);
    waiting?.reject(lost);
  });
  void ended.then(() => {
    hasEnded = true;
  });
  void watch(clock);

  async function watch({ sleep }: Clock): Promise<void> {
    const limit = host.memoryLimit() ?? Number.POSITIVE_INFINITY;
    const never = new AbortController().signal;
    for (;;) {
      await sleep(CHECK, never);
      if (hasEnded || isCommand) return;
      // Without an expected answer it waits, as long as a stop or a random delay takes.
      if (waiting !== undefined && ++silentChecks * CHECK >= silence)
        killBecause({ kind: 'silent', silence });
      const used = privateMemory(child.pid);
      if (used > limit) killBecause({ kind: 'memory', used, limit });
    }
  }

  return {
    answer() {
      silentChecks = 0;
      const next = answers.shift();
      if (next !== undefined) return Promise.resolve(next);
      if (lost !== undefined) return Promise.reject(lost);
      waiting = Promise.withResolvers<Answer>();
      return waiting.promise;
    },
    send(step) {
      // From here on it may be the command at any time.
      if (step === 'start') isCommand = true;
      socket.write(`${step}\n`);
    },
    closed,
    kill,
  };
}

function throwRefused(answer: Answer): void {
  if (answer.kind === 'refused') throwProblems(distinct(answer.problems.map(createProblemReader())));
}

function unexpected(answer: Answer, worker: Followed): Problem {
  worker.kill();
  const line = answer.kind === 'bug' ? answer.line : `an unexpected message (${answer.kind})`;
  return new Problem({
    code: 'sync.killed',
    subject: 'sync',
    message: `its process ended because of ${line}`,
    remedy: 'Report this line.',
  });
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
