/**
 * The worker's side of its descriptors: the request, the report, and the end of the process that started it.
 */

import { closeSync, fstatSync, read, readSync, writeSync } from 'node:fs';
import { parseJson } from '../core/unknown.ts';

/** Parses the line of JSON on standard input. Blocks until it has arrived, because nothing else runs in a worker yet. */
export function readRequest(): unknown {
  const parts: Buffer[] = [];
  for (;;) {
    const part = Buffer.allocUnsafe(64 * 1024);
    const length = readSync(0, part);
    if (length === 0) break;
    parts.push(part.subarray(0, length));
  }
  return parseJson(Buffer.concat(parts).toString('utf8'));
}

/** False in a process that was started by hand: its descriptor 3 is closed, or one of Node's own. */
export function hasReport(): boolean {
  try {
    // Node connects a child by a socket; its own descriptors are of other kinds.
    return fstatSync(REPORT).isSocket();
  } catch {
    return false;
  }
}

/** Writes one message of the report, synchronously. A closed or missing pipe is not an error. */
export function writeMessage(message: object): void {
  const line = Buffer.from(`${JSON.stringify(message)}\n`);
  try {
    for (let written = 0; written < line.length; ) written += writeSync(REPORT, line, written);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code !== 'EPIPE' && code !== 'EBADF') throw error;
  }
}

const REPORT = 3;

/**
 * Makes the kernel signal this process when its parent ends, however busy this process is and whatever ended the
 * parent. `parent`: the pid of the parent, which may have ended before this call. With SIGTERM the process
 * must end itself. The programs that it starts, such as a credential process, do not inherit its descriptors.
 */
export function endWithParent(parent: number, signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): void {
  try {
    const { fcntl, prctl } = systemCalls();
    prctl(PR_SET_PDEATHSIG, NUMBERS[signal], 0n, 0n, 0n);
    for (const descriptor of [REPORT, CREDENTIALS]) fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  } catch {
    // Without node:ffi (Node 24) a worker ends when its work is done.
  }
  if (process.ppid !== parent) process.exit(1);
}

/**
 * Call it before this process becomes another program: that program must not end with its parent. The descriptor of the report is
 * closed by execve, which shows the parent that the program has started.
 */
export function releaseInherited(): void {
  try {
    systemCalls().prctl(PR_SET_PDEATHSIG, 0n, 0n, 0n, 0n);
  } catch {
    // Without node:ffi the program would inherit them, and nothing can be reported after this.
    for (const descriptor of [REPORT, CREDENTIALS]) closeSync(descriptor);
  }
}

function systemCalls() {
  const { dlopen } = process.getBuiltinModule('node:ffi');
  return dlopen(null, {
    fcntl: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
    prctl: { arguments: ['i32', 'u64', 'u64', 'u64', 'u64'], return: 'i32' },
  }).functions;
}

/** The descriptor of credentials-file.ts. */
const CREDENTIALS = 4;
/** fcntl.h */
const F_SETFD = 2;
const FD_CLOEXEC = 1;

/**
 * Ctrl-C and Ctrl-\ send these signals to the whole process group of the terminal. They are for the command; this process is ended
 * by its parent.
 */
export function ignoreTerminalKeys(): void {
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    process.removeAllListeners(signal);
    process.on(signal, () => {});
  }
}

/**
 * Reads one line from the descriptor of the report, which is a socket. Blocks; undefined at its end. The sender must not send
 * the next line before it has the reply.
 */
export function readLine(): string | undefined {
  const parts: Buffer[] = [];
  for (;;) {
    const part = Buffer.allocUnsafe(64 * 1024);
    const length = readSync(REPORT, part);
    if (length === 0) return undefined;
    parts.push(part.subarray(0, length));
    if (part[length - 1] === LINE_FEED) return Buffer.concat(parts).toString('utf8').trimEnd();
  }
}

/** The same without blocking, so that connections are closed in time. Rejects with the reason of `stop`. */
export async function nextLine(stop: AbortSignal): Promise<string | undefined> {
  const stopped = new Promise<never>((_, reject) => {
    stop.addEventListener('abort', () => reject(stop.reason), { once: true });
  });
  const parts: Buffer[] = [];
  for (;;) {
    stop.throwIfAborted();
    const part = Buffer.allocUnsafe(64 * 1024);
    const reading = new Promise<number>((resolve, reject) => {
      read(REPORT, part, 0, part.length, null, (error, length) => {
        if (error === null) resolve(length);
        else reject(error);
      });
    });
    const length = await Promise.race([reading, stopped]);
    if (length === 0) return undefined;
    parts.push(part.subarray(0, length));
    if (part[length - 1] === LINE_FEED) return Buffer.concat(parts).toString('utf8').trimEnd();
  }
}

const LINE_FEED = 0x0a;

/** linux/prctl.h */
const PR_SET_PDEATHSIG = 1;

const NUMBERS = { SIGKILL: 9n, SIGTERM: 15n } as const;
