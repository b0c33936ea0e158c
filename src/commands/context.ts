/**
 * What a command is given: its settings, and the process it may touch, as values and functions.
 */

import type { Invocation } from '../cli/settings.ts';
import type { Clock } from '../core/clock.ts';
import type { Environment } from '../core/environment.ts';

/** The settings, and everything of the process that a command may use. */
export interface Context extends Invocation {
  readonly env: Environment;
  readonly clock: Clock;
  readonly process: {
    readonly self: number;
    /** Effective user id. */
    readonly user: number;
    /** kill(2); throws the error of the system. */
    readonly kill: (pid: number, signal: NodeJS.Signals) => void;
    /** Resident memory in bytes, and processor time in seconds. */
    readonly figures: () => { readonly residentMemory: number; readonly cpuTime: number };
  };
  /** Aborted by SIGTERM and SIGINT. */
  readonly stop: AbortSignal;
  /** Calls back at every SIGHUP. */
  readonly onHangup: (listener: () => void) => void;
  readonly stdout: { readonly write: (text: string) => void };
  readonly stderr: { readonly write: (text: string) => void; readonly isTerminal: boolean };
  /** Everything on standard input. */
  readonly stdin: () => Promise<string>;
}

/** A command: its exit code, or a thrown Problem (or Problems), which main turns into the last words. */
export type RunCommand = (context: Context) => Promise<number>;
