/**
 * Signals the application: a process in a PID namespace that is shared with us.
 *
 * The process is found anew each time, by its pid file or by its name. Each way in which that usually fails has a sentence
 * of its own with the remedy: no shared namespace, another user, no such process, a pid file that is stale, or whose pid
 * another process has by now.
 */

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { Problem, throwProblems } from '../core/problem.ts';
import { escapeControl, quote } from '../core/text.ts';
import type { Changed } from '../publish/snapshot.ts';
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

/** What signalling needs of the system. */
export interface ProcessSystem {
  /** Our own pid and effective user. */
  readonly self: number;
  readonly user: number;
  /** kill(2); throws the error of the system. */
  readonly kill: (pid: number, signal: NodeJS.Signals) => void;
  /** Where the process table is mounted. */
  readonly proc: string;
}

/** Sends `signal` to the process, or to every process of the name; to each once for one change, however often it is tried. */
export function signalNotifier(
  signal: NodeJS.Signals,
  target: SignalTarget,
  system: ProcessSystem,
): Notifier {
  const subject = target.kind === 'pidFile' ? target.file : `process ${quote(target.name)}`;
  /** The earliest that was read: a clock that is set forward moves it, but not the times of the files that are there. */
  let bootTime = readBootTime(system.proc);
  let about: Changed | undefined;
  /** Who was signalled about it already, while another of the same name could not be. */
  let told = new Set<string>();
  return {
    kind: 'signal',
    async notify(change) {
      if (change !== about) told = new Set();
      about = change;
      const table = readTable(subject, system);
      bootTime = Math.min(bootTime, readBootTime(system.proc));
      const found =
        target.kind === 'pidFile'
          ? [byPidFile(target.file, table, bootTime, system)]
          : byName(target.name, subject, table, system);
      const problems: Problem[] = [];
      for (const process of found) {
        const birth = `${process.pid} ${process.started}`;
        if (told.has(birth)) continue;
        const problem = send(signal, process, subject, system);
        if (problem === undefined) told.add(birth);
        else problems.push(problem);
      }
      // One that ended under our hands is a failure only if nobody else was there to hear.
      const denied = problems.find((problem) => !problem.retry);
      if (denied !== undefined) throw denied;
      if (told.size === 0) throwProblems(problems);
    },
  };
}

function readTable(subject: string, { proc }: ProcessSystem): ProcessTable {
  try {
    return readProcessTable(proc);
  } catch (error) {
    throw failure(subject, `expected ${proc} to list the processes, got ${codeOf(error)}`, {
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
    // Not what stands there: the file may be a wrong one, or a link that another container put there, even to a published value.
    const got = text === '' ? 'an empty file' : 'something else';
    throw failure(file, `expected a pid on the first line, got ${got}`, {
      remedy: 'Name the file to which the application writes its pid, as a number and nothing else.',
      // Whoever writes it may have created it a moment ago.
      retry: text === '',
    });
  }
  if (isSelfOrDescendant(table, pid, self))
    throw notShared(file, `pid ${pid}, which is podsecrets itself here`);
  if (pid === 1 && hasOwnPidNamespace(table, self))
    throw notShared(file, 'pid 1, which started podsecrets here');
  const process = table.get(pid);
  if (process?.zombie === true || process === undefined) {
    if (hasOwnPidNamespace(table, self)) throw notShared(file, `pid ${pid}, which cannot be seen from here`);
    const state = process === undefined ? 'no process has' : `process ${named(process)} has ended under`;
    throw failure(file, `expected the pid of a running process, got ${pid}, which ${state}`, {
      remedy:
        'The file is stale: have the application write it at every start, or wait until it has started.',
      retry: true,
    });
  }
  if (isSandbox(process)) throw sandbox(file);
  if (isReused(process, bootTime, written)) {
    throw failure(file, `expected the pid of who wrote it, got ${pid}, which ${named(process)} got later`, {
      remedy:
        'The file is stale: have the application write it at every start, or wait until it has started.',
      retry: true,
    });
  }
  return process;
}

/** A pid file is a line; whatever is longer than this is another file. */
const PID_FILE_LIMIT = 4096;

/** Its text, and the moment at which it was last written or put into place, milliseconds since 1970. */
function readPidFile(file: string): { readonly text: string; readonly written: number } {
  let descriptor: number | undefined;
  try {
    // Not blocking: a named pipe without a writer would hold up the whole program.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const { mtimeMs, ctimeMs } = fstatSync(descriptor);
    const buffer = Buffer.alloc(PID_FILE_LIMIT);
    const length = readSync(descriptor, buffer);
    return { text: buffer.toString('utf8', 0, length), written: Math.max(mtimeMs, ctimeMs) };
  } catch (error) {
    const code = codeOf(error);
    throw failure(file, `expected a pid file, got ${code}`, {
      remedy:
        code === 'ENOENT'
          ? 'Mount the volume in which the application writes it here too, or wait until it has started.'
          : 'Name a file that the user podsecrets runs as can read.',
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
  if (hasOwnPidNamespace(table, self)) throw notShared(subject, 'only the processes of this container');
  const others = [...table.values()].filter((process) => !isSelfOrDescendant(table, process.pid, self));
  const names = [...new Set(others.map((process) => process.name))].slice(0, NAMES_SHOWN);
  const got = names.length === 0 ? 'none' : names.map(quote).join(', ');
  throw failure(subject, `expected a process of that name, got ${got}`, {
    remedy: 'Correct the name, or wait until the application has started.',
    retry: true,
  });
}

/** Enough to see what a misspelt name should have been. */
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
      return failure(subject, `expected a running process, got ${named(process)}, which has just ended`, {
        remedy: 'Wait until it has started again.',
        retry: true,
      });
    }
    if (code !== 'EPERM') throw error;
    const owner = readUser(process.pid, proc);
    const message = `expected to be allowed to signal ${named(process)} of user ${owner ?? 'unknown'}, got EPERM as user ${user}`;
    return failure(subject, message, {
      remedy:
        'Run both containers with the same securityContext.runAsUser (the capability KILL helps only a container that runs as root).',
    });
  }
}

/** Only a pod's sandbox container is called so; whoever ends it ends the pod. */
function isSandbox(process: ProcessEntry): boolean {
  return process.pid === 1 && process.name === 'pause';
}

function sandbox(subject: string): Problem {
  return failure(subject, "expected a process of the application, got the pod's sandbox, process 1", {
    remedy: 'Name the application. With a shared PID namespace no container has process 1.',
  });
}

function notShared(subject: string, got: string): Problem {
  return failure(subject, `expected a PID namespace shared with the application, got ${got}`, {
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
