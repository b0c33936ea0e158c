/**
 * Writes to stderr, the log of a container.
 *
 * Synchronously, so that a text written before an exit is in the pipe when the process ends; without `process.stderr`, because that
 * stream costs a cold start 1.5 ms and 0.3 MB and makes the pipe non-blocking for every process that shares it. If the reader of
 * the pipe stalls, lines wait in memory, and the event loop goes on: probes get a response, and SIGTERM ends the program. Lines that
 * cannot wait are counted, and the log says how many are missing, and where.
 */

import { constants, fstatSync, openSync, writeSync } from 'node:fs';

/** A text that waits. */
interface Waiting {
  readonly bytes: Uint8Array;
  /** How many lines a notice of dropped lines counts; undefined: it is a line. */
  readonly notice?: number;
}

/**
 * Writes a line, after the texts that wait. If the reader stalls, this blocks for at most 2 s; after that, later writes do not block
 * until one succeeds. A line for which there is no space is dropped and counted.
 */
export function writeToStderr(text: string): void {
  const bytes = new TextEncoder().encode(text);
  // The oldest lines have the cause, so the newest are dropped.
  if (!hasSpace(bytes.length)) flushStderr(isStalled ? 0 : MAX_STALL);
  if (!hasSpace(bytes.length)) {
    drop({ bytes });
    return;
  }
  pushNotice();
  push({ bytes });
  flushStderr(isStalled ? 0 : MAX_STALL);
}

/** Writes the last text of the process, which is never dropped. If the reader stalls, this blocks for at most 2 s. */
export function writeExitLine(text: string): void {
  pushNotice();
  push({ bytes: new TextEncoder().encode(text) });
  flushStderr(EXIT_LINE_TIMEOUT);
}

/**
 * `line` returns the line that says how many were dropped. It is written in the place of the dropped lines, as soon as the reader reads
 * again.
 */
export function noticeDroppedLines(line: (dropped: number) => string): void {
  noticeOf = line;
}

/** How many lines were dropped since the start of the process. */
export function droppedLines(): number {
  return droppedInAll;
}

function hasSpace(bytes: number): boolean {
  if (waiting.length === 0) return true;
  // With half of it after a drop: a slow reader would get a notice for each line.
  return waitingBytes + bytes <= (unreported > 0 ? MAX_WAITING / 2 : MAX_WAITING);
}

function push(text: Waiting): void {
  waiting.push(text);
  waitingBytes += text.bytes.length;
}

function drop({ notice }: Waiting): void {
  unreported += notice ?? 1;
  if (notice === undefined) droppedInAll += 1;
}

/** Puts the notice after the texts that wait, if lines were dropped. */
function pushNotice(): void {
  if (unreported === 0 || noticeOf === undefined) return;
  const notice = unreported;
  unreported = 0;
  push({ bytes: new TextEncoder().encode(noticeOf(notice)), notice });
}

/** The first text that waits; after the last one, the notice. */
function next(): Waiting | undefined {
  if (waiting.length === 0) pushNotice();
  return waiting[0];
}

/** Writes the texts that wait; for the exit of the process. Blocks for at most `timeout` milliseconds. */
export function flushStderr(timeout: number = LAST_FLUSH): void {
  let pauses = Math.ceil(timeout / PAUSE);
  let isRead = false;
  for (let first = next(); first !== undefined; first = next()) {
    try {
      const written = writeSync(descriptor(), first.bytes);
      isStalled = false;
      isRead = true;
      waitingBytes -= written;
      if (written === first.bytes.length) waiting.shift();
      else waiting[0] = { ...first, bytes: first.bytes.subarray(written) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
        // EPIPE: the reader has exited. ENOSPC, EFBIG: a full disk.
        for (const text of waiting) drop(text);
        waiting.length = 0;
        waitingBytes = 0;
        return;
      }
      if (pauses-- <= 0) {
        isStalled = true;
        retryLater(isRead ? PAUSE : RETRY);
        return;
      }
      // Blocks the event loop, because a command may exit right after this.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
    }
  }
}

function retryLater(delay: number): void {
  if (isRetrying) return;
  isRetrying = true;
  setTimeout(() => {
    isRetrying = false;
    flushStderr(0);
  }, delay).unref();
}

/** Milliseconds for which writing the exit line is retried while the reader stalls. */
const EXIT_LINE_TIMEOUT = 2000;

/** Milliseconds; less than the time from SIGTERM to the exit. */
const MAX_STALL = 2000;

/**
 * Milliseconds between two attempts while the reader reads. They are counted, because reading a clock would load Node's performance
 * module.
 */
const PAUSE = 5;

/** Milliseconds at the exit. The exit line has a timeout of its own. */
const LAST_FLUSH = 400;

/** Milliseconds between two attempts while the reader stalls. */
const RETRY = 100;

/** Bytes that wait for a stalled reader: some ten thousand lines. The memory limit of the container is 128 MiB. */
const MAX_WAITING = 4 * 1024 * 1024;

/** The oldest first. */
const waiting: Waiting[] = [];
let waitingBytes = 0;

/** Dropped lines that no notice counts yet. */
let unreported = 0;
let droppedInAll = 0;
let noticeOf: ((dropped: number) => string) | undefined;

let isRetrying = false;

/** Whether the last write timed out. */
let isStalled = false;

let opened: number | undefined;

/**
 * A pipe is opened again, non-blocking for this process alone: a write to a full pipe then fails instead of blocking the process
 * until the reader goes on.
 */
function descriptor(): number {
  opened ??= reopened() ?? STDERR;
  return opened;
}

function reopened(): number | undefined {
  try {
    if (!fstatSync(STDERR).isFIFO()) return undefined;
    return openSync('/proc/self/fd/2', constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    // Closed, or a pipe of another user.
    return undefined;
  }
}

const STDERR = 2;
