/**
 * Signals the application: a process in a shared PID namespace.
 *
 * The process is looked up each time, by its pid file or by its name. Each usual failure has its own message with the
 * remedy: no shared namespace, another user, no such process, a pid file that is stale, or whose pid was reused.
 */

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { Problem, throwProblems } from '../core/problem.ts';
import { escapeControl, quote } from '../core/text.ts';
import type { Notifier } from './notifier.ts';
import {
  findByName,
  hasOwnPidNamespace,
  isReused,
  isSelfOrDescendant,
  type ProcessEntry,
  type ProcessTable,
  parsePidFile,
} from './process-matching.ts';
import { readBootTime, readProcessTable, readUser } from './processes.ts';

/** How the process is found. */
export type SignalTarget =
  | { readonly kind: 'pidFile'; readonly file: string }
  | { readonly kind: 'process'; readonly name: string };

/** The parts of the system that sending a signal needs. */
export interface ProcessSystem {
  /** The pid and the effective user of this process. */
  readonly self: number;
  readonly user: number;
  /** kill(2); throws the error of the system. */
  readonly kill: (pid: number, signal: NodeJS.Signals) => void;
  /** Where the process table is mounted. */
  readonly proc: string;
}

/** Sends `signal` to the process, or to every process of the name. Retries for the same list of names do not signal a process again. */
export function signalNotifier(
  signal: NodeJS.Signals,
  target: SignalTarget,
  system: ProcessSystem,
): Notifier {
  const subject = target.kind === 'pidFile' ? target.file : `process ${quote(target.name)}`;
  /** The earliest boot time that was read: setting the clock forward changes it, but not the times of existing files. */
  let bootTime = readBootTime(system.proc);
  let current: readonly string[] | undefined;
  /** Processes that were signalled for `current`, although another process of the same name could not be signalled. */
  let signalled = new Set<string>();
  return {
    kind: 'signal',
    async notify(names) {
      if (names !== current) signalled = new Set();
      current = names;
      const table = readTable(subject, system);
      bootTime = Math.min(bootTime, readBootTime(system.proc));
      const found =
        target.kind === 'pidFile'
          ? [byPidFile(target.file, table, bootTime, system)]
          : byName(target.name, subject, table, system);
      const problems: Problem[] = [];
      for (const process of found) {
        const processKey = `${process.pid} ${process.started}`;
        if (signalled.has(processKey)) continue;
        const problem = send(signal, process, subject, system);
        if (problem === undefined) signalled.add(processKey);
        else problems.push(problem);
      }
      // A process that ended in between is a failure only if no other was signalled.
      const denied = problems.find((problem) => !problem.retry);
      if (denied !== undefined) throw denied;
      if (signalled.size === 0) throwProblems(problems);
    },
  };
}

function readTable(subject: string, { proc }: ProcessSystem): ProcessTable {
  try {
    return readProcessTable(proc);
  } catch (error) {
    throw failure(subject, `cannot list the processes in ${proc} (${codeOf(error)})`, {
      remedy: 'Run podsecrets on Linux, with /proc mounted.',
    });
  }
}

function byPidFile(
  file: string,
  table: ProcessTable,
  bootTime: number,
  { self }: ProcessSystem,
): ProcessEntry {
  const { text, written } = readPidFile(file);
  const pid = parsePidFile(text);
  if (pid === undefined) {
    // Not the text itself: the file may be a wrong one, or a link that another container put there, even to a published value.
    const got = text === '' ? 'an empty file' : 'something else';
    throw failure(file, `expected a pid on the first line, got ${got}`, {
      remedy: 'Use the file to which the application writes its pid, as a number and nothing else.',
      // The application may have created it a moment ago.
      retry: text === '',
    });
  }
  if (isSelfOrDescendant(table, pid, self)) throw notShared(file, `pid ${pid} is podsecrets itself here`);
  if (pid === 1 && hasOwnPidNamespace(table, self)) throw notShared(file, 'pid 1 started podsecrets here');
  const process = table.get(pid);
  if (process?.zombie === true || process === undefined) {
    if (hasOwnPidNamespace(table, self)) throw notShared(file, `pid ${pid} is not visible here`);
    const state = process === undefined ? 'no process has' : `the ended process ${named(process)} had`;
    throw failure(file, `stale pid file: ${state} pid ${pid}`, {
      remedy:
        'The file is stale: have the application write it at every start, or wait until it has started.',
      retry: true,
    });
  }
  if (isSandbox(process)) throw sandbox(file);
  if (isReused(process, bootTime, written)) {
    throw failure(
      file,
      `stale pid file: pid ${pid} was reused by ${named(process)} after the file was written`,
      {
        remedy:
          'The file is stale: have the application write it at every start, or wait until it has started.',
        retry: true,
      },
    );
  }
  return process;
}

/** Bytes. A pid file is one line; a longer file is not a pid file. */
const PID_FILE_LIMIT = 4096;

/** Its text, and when it was last written or renamed, milliseconds since 1970. */
function readPidFile(file: string): { readonly text: string; readonly written: number } {
  let descriptor: number | undefined;
  try {
    // Not blocking: a named pipe without a writer would block the whole program.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const { mtimeMs, ctimeMs } = fstatSync(descriptor);
    const buffer = Buffer.alloc(PID_FILE_LIMIT);
    const length = readSync(descriptor, buffer);
    return { text: buffer.toString('utf8', 0, length), written: Math.max(mtimeMs, ctimeMs) };
  } catch (error) {
    const code = codeOf(error);
    throw failure(file, `cannot read the pid file (${code})`, {
      remedy:
        code === 'ENOENT'
          ? 'Mount the volume in which the application writes it in this container too, or wait until it has started.'
          : 'Use a file that the user of podsecrets can read.',
      retry: code === 'ENOENT',
    });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function byName(
  name: string,
  subject: string,
  table: ProcessTable,
  { self }: ProcessSystem,
): readonly ProcessEntry[] {
  const found = findByName(table, name, self);
  if (found.some(isSandbox)) throw sandbox(subject);
  if (found.length > 0) return found;
  if (hasOwnPidNamespace(table, self))
    throw notShared(subject, 'only the processes of this container are visible');
  const foreign = [...table.values()].filter((process) => !isSelfOrDescendant(table, process.pid, self));
  const names = [...new Set(foreign.map((process) => process.name))].slice(0, NAMES_SHOWN);
  const others = names.length === 0 ? 'no other process' : names.map(quote).join(', ');
  throw failure(subject, `no process has this name; running: ${others}`, {
    remedy: 'Correct the name, or wait until the application has started.',
    retry: true,
  });
}

/** Enough to find the right spelling of a name. */
const NAMES_SHOWN = 12;

/** Undefined when it was sent, and the problem when it was not. */
function send(
  signal: NodeJS.Signals,
  process: ProcessEntry,
  subject: string,
  { kill, user, proc }: ProcessSystem,
): Problem | undefined {
  try {
    kill(process.pid, signal);
    return undefined;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ESRCH') {
      return failure(subject, `${named(process)} ended before it was signalled`, {
        remedy: 'Wait until it has started again.',
        retry: true,
      });
    }
    if (code !== 'EPERM') throw error;
    const owner = readUser(process.pid, proc);
    const message = `user ${user} may not signal ${named(process)} of user ${owner ?? 'unknown'} (EPERM)`;
    return failure(subject, message, {
      remedy:
        'Run both containers with the same securityContext.runAsUser (the capability KILL helps only a container that runs as root).',
    });
  }
}

/** Only a pod's sandbox container has this name; ending it ends the pod. */
function isSandbox(process: ProcessEntry): boolean {
  return process.pid === 1 && process.name === 'pause';
}

function sandbox(subject: string): Problem {
  return failure(subject, "it is the pod's sandbox, process 1, not a process of the application", {
    remedy: 'Name a process of the application. With a shared PID namespace no container has process 1.',
  });
}

function notShared(subject: string, evidence: string): Problem {
  return failure(subject, `the PID namespace is not shared with the application: ${evidence}`, {
    remedy: 'Set shareProcessNamespace: true in the pod spec (docker-compose: pid: service:NAME).',
  });
}

function failure(
  subject: string,
  message: string,
  rest: { readonly remedy: string; readonly retry?: boolean },
): Problem {
  return new Problem({ code: 'notify.signal', subject: escapeControl(subject), message, ...rest });
}

function named(process: ProcessEntry): string {
  return `${process.pid} (${quote(process.name)})`;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
