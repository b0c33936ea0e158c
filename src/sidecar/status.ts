/**
 * How a sidecar is, as a value that can be shown to anyone.
 *
 * This is the page `/status`, field for field, and so an interface: fields are added, never renamed. Names, versions, times
 * and errors are in it; a secret never is, nor its length or digest. Times are ISO 8601 in UTC; what has not happened yet
 * is absent.
 */

import type { Service } from '../config/secret-ref.ts';
import type { Problem } from '../core/problem.ts';

/** The page. */
export interface SidecarStatus {
  /** Of podsecrets. */
  readonly version: string;
  readonly startedAt: string;
  /** As `/readyz`: every config was published once. */
  readonly ready: boolean;
  /** `start` until every config was published once, then `steady`; `stopping` after SIGTERM. */
  readonly phase: 'start' | 'steady' | 'stopping';
  readonly nextSync?: string;
  /** Failed syncs since the last good one. */
  readonly consecutiveFailures: number;
  readonly credentials?: CredentialsStatus;
  readonly configs: readonly ConfigStatus[];
  readonly notifiers: readonly NotifierStatus[];
}

/** The credentials that expire first. */
export interface CredentialsStatus {
  /** `pod-identity`, `irsa` or `default`. */
  readonly source: string;
  /** Which link of the default chain: `ECS task role`, `instance role`, `environment keys`, `profile dev (SSO)`. */
  readonly servedBy?: string;
  readonly expiresAt?: string;
}

/** One config and its directory. */
export interface ConfigStatus {
  /** The config file. */
  readonly file: string;
  readonly directory: string;
  readonly region: string;
  readonly failoverRegion?: string;
  readonly ready: boolean;
  readonly lastSuccess?: string;
  /** When a file last changed on disk; not set by a restart that changed nothing. */
  readonly lastChange?: string;
  readonly lastFailure?: string;
  /** Why that failed; kept after recovery, so compare `lastFailure` with `lastSuccess`. */
  readonly lastErrors: readonly ProblemStatus[];
  /** The file on disk is broken, and an older one of it is in force. */
  readonly configProblems: readonly ProblemStatus[];
  readonly files: readonly FileStatus[];
  /** Names of `optional` objects that do not exist. */
  readonly missingOptional: readonly string[];
}

/** One published file. */
export interface FileStatus {
  /** Below the directory. */
  readonly path: string;
  /** objectName. */
  readonly object: string;
  readonly service: Service;
  /** Where the value came from: the failover region while the first one fails. */
  readonly region: string;
  readonly version: string;
  /** When this process saw the version change; absent since it started with it. */
  readonly changedAt?: string;
}

/** A Problem without what only programs need. */
export interface ProblemStatus {
  readonly code: string;
  readonly subject: string;
  readonly message: string;
  readonly remedy: string;
}

/** One way of notifications. */
export interface NotifierStatus {
  readonly kind: 'signal' | 'exec' | 'url' | 'touch';
  /** `idle`: the application knows the newest set. `waiting`: for the splay, or for the next try. `telling`: just now. */
  readonly state: 'idle' | 'waiting' | 'notifying';
  /** Files of changes that it has not been told yet. */
  readonly pending: number;
  readonly lastNotified?: string;
  /** Failed tries since it was last told. */
  readonly consecutiveFailures: number;
  readonly lastFailure?: string;
  /** Why that failed; kept after recovery. */
  readonly lastError?: ProblemStatus;
}

/** A problem, as the page shows it. */
export function problemStatus(problem: Problem): ProblemStatus {
  const { code, subject, message, remedy } = problem;
  return { code, subject, message, remedy };
}

/** Milliseconds since 1970 as the page writes times. */
export function momentText(ms: number): string {
  return new Date(ms).toISOString();
}
