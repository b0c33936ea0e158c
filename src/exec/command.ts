/**
 * The process of `exec --on-change` in its two states: a candidate, which has a complete set and waits, and the running command.
 */

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
