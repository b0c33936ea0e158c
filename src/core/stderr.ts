/**
 * Writes to stderr, the log of a container.
 *
 * Synchronously, so that a text written before an exit is in the pipe when the process ends; without `process.stderr`, because that
 * stream costs a cold start 1.5 ms and 0.3 MB and makes the pipe non-blocking for every process that shares it. If the reader of
 * the pipe stalls, texts wait in memory, and the event loop goes on: probes get a response, and SIGTERM ends the program.
 */

import { constants, fstatSync, openSync, writeSync } from 'node:fs';

/**
 * Writes the text after those that wait. If the reader stalls, this blocks for at most `timeout` milliseconds; after such a timeout,
 * later writes do not block until one succeeds. Returns whether everything was written.
 */
export function writeToStderr(text: string, timeout: number = isStalled ? 0 : MAX_STALL): boolean {
  const bytes = new TextEncoder().encode(text);
  // The oldest lines have the cause, so the newest are dropped.
  if (waiting.length > 0 && waitingBytes + bytes.length > MAX_WAITING)
    return flushStderr(timeout) && writeToStderr(text, timeout);
  waiting.push(bytes);
  waitingBytes += bytes.length;
  return flushStderr(timeout);
}

/** Writes the texts that wait; for the exit of the process. `timeout` and the result are those of `writeToStderr`. */
export function flushStderr(timeout: number = LAST_FLUSH): boolean {
  let pauses = Math.ceil(timeout / PAUSE);
  for (let bytes = waiting[0]; bytes !== undefined; bytes = waiting[0]) {
    try {
      const written = writeSync(descriptor(), bytes);
      isStalled = false;
      waitingBytes -= written;
      if (written === bytes.length) waiting.shift();
      else waiting[0] = bytes.subarray(written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
        // EPIPE and similar errors: the reader has exited, so nothing can be reported.
        waiting.length = 0;
        waitingBytes = 0;
        return false;
      }
      if (pauses-- <= 0) {
        isStalled = true;
        retryLater();
        return false;
      }
      // Blocks the event loop, because a command may exit right after this.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
    }
  }
  return true;
}

function retryLater(): void {
  if (isRetrying) return;
  isRetrying = true;
  setTimeout(() => {
    isRetrying = false;
    flushStderr(0);
  }, RETRY).unref();
}

/** Milliseconds for which writing the exit line is retried while the reader stalls. */
export const EXIT_LINE_TIMEOUT = 2000;

/** Milliseconds; less than the time from SIGTERM to the exit. */
const MAX_STALL = 2000;

/** Milliseconds between two attempts. They are counted, because reading a clock would load Node's performance module. */
const PAUSE = 5;

/** Milliseconds at the exit. The exit line has a timeout of its own. */
const LAST_FLUSH = 400;

/** Milliseconds between two attempts while the reader stalls. */
const RETRY = 100;

/** Bytes that wait for a stalled reader: some ten thousand lines. The memory limit of the container is 128 MiB. */
const MAX_WAITING = 4 * 1024 * 1024;

const waiting: Uint8Array[] = [];
let waitingBytes = 0;
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
