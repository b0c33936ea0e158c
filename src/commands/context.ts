/**
 * The context of a command: its settings, and the parts of the process that it may use, as values and functions.
 */

import type { Invocation } from '../cli/settings.ts';
import type { Clock } from '../core/clock.ts';
import type { Environment } from '../core/environment.ts';
import type { Problem } from '../core/problem.ts';
import type { ProcessFigures } from '../sidecar/metrics.ts';

/** The process, for every command and every worker. A worker gets its request through a pipe. */
export interface WorkerContext {
  readonly env: Environment;
  readonly clock: Clock;
  readonly process: {
    /** The pid of this process. */
    readonly self: number;
    /** Effective user id. */
    readonly user: number;
    /** kill(2); throws the error of the system. */
    readonly kill: (pid: number, signal: NodeJS.Signals) => void;
    /** This program: its file, and the arguments before its command. */
    readonly program: { readonly file: string; readonly args: readonly string[] };
    /** The path that starts this program, even if its file was replaced since the start; without /proc, the path of the file. */
    readonly executable: () => string;
    readonly figures: () => ProcessFigures;
  };
  /** Aborted by SIGTERM, SIGINT and SIGQUIT. */
  readonly stop: AbortSignal;
}

/** The settings, and everything of the process that a command may use. */
export interface Context extends Invocation, WorkerContext {
  /** The state of the first publish. Main reports it if a signal ends the program before that publish. */
  readonly start: Start;
  /** Calls back at every SIGHUP. */
  readonly onHangup: (listener: () => void) => void;
  /** Calls back at each of these signals. From then on none of them ends the program. */
  readonly handleSignals: (
    signals: readonly NodeJS.Signals[],
    listener: (signal: NodeJS.Signals) => void,
  ) => void;
  readonly stdinIsTerminal: boolean;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Everything on standard input; prints a hint on stderr if standard input is a terminal. */
  readonly stdin: () => Promise<string>;
}

/** A stream of the process. */
export interface Output {
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  /** Width of the terminal; infinite without a terminal. */
  readonly columns: number;
}

/** Written by the command, read by main. */
export interface Start {
  /** Why the last attempt failed. */
  problems: readonly Problem[];
  /** Whether everything was published once. */
  isDone: () => boolean;
}

/** A command: its exit code, or a thrown Problem (or Problems), which main turns into the exit message. */
export type RunCommand = (context: Context) => Promise<number>;
