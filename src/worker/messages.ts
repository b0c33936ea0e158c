/**
 * Reads the messages of a worker's report, one JSON value in each line, within the limits of its usage.
 */

import { parseJson } from '../core/unknown.ts';
import type { WorkerEnd } from './end-problem.ts';
import { createLineReader } from './lines.ts';
import { LONGEST_MESSAGE, type WorkerUsage } from './usage.ts';

/** Where messages go, and what ends the worker. */
export interface MessageOptions {
  /** Called for each piece and each message, because the limits begin again with each request. */
  readonly usage: () => WorkerUsage;
  /** Takes each message, undefined for a line that is not JSON, or too long; throws if the message is not valid. */
  readonly receive: (message: unknown) => void;
  /** Kills the worker if there is a reason. */
  readonly killIf: (reason: WorkerEnd | undefined) => void;
  readonly isKilled: () => boolean;
}

/** A function that takes the pieces of the report in order. */
export function createMessageReader({ usage, receive, killIf, isKilled }: MessageOptions) {
  const takeLines = createLineReader(LONGEST_MESSAGE, (line) => {
    killIf(usage().message());
    // What it sent after the reason is not used.
    if (isKilled()) return;
    try {
      receive(line === undefined ? undefined : parseJson(line));
    } catch (error) {
      killIf({ kind: 'report', reason: error instanceof Error ? error.message : String(error) });
    }
  });
  return (piece: Uint8Array): void => {
    killIf(usage().bytes(piece.length));
    takeLines(piece);
  };
}
