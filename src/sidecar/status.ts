/**
 * The state of a sidecar, or of `exec --on-change`: the page /status, field for field, and the log of failures and recoveries.
 *
 * An interface: fields are added, never renamed. It contains names, versions, times and errors, but no secret, nor its length or
 * digest. Times are ISO 8601 in UTC; a time that does not exist yet is undefined. A state change is logged once; a state that
 * persists is logged at `debug`.
 */

import type { CredentialsInUse } from '../aws/sources.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Problem } from '../core/problem.ts';
import type { Service } from '../core/service.ts';
import { plural, timeText } from '../core/text.ts';
import { version } from '../core/version.ts';
import type { NotifierStatus } from '../notify/notifier.ts';
import type { NotificationQueue } from '../notify/queue.ts';
import { createFailureLog } from './loop.ts';

/** The page. */
export interface SidecarStatus {
  /** Of podsecrets. */
  readonly version: string;
  readonly startedAt: string;
  /** As `/readyz`: every config was published once. */
  readonly ready: boolean;
  /** `start` until every config was published once, then `steady`; `stopping` after SIGTERM. */
  readonly phase: 'start' | 'steady' | 'stopping';
  readonly nextSync?: string | undefined;
  /** Failed syncs since the last successful one. */
  readonly consecutiveFailures: number;
  readonly credentials?: CredentialsStatus | undefined;
  readonly configs: readonly ConfigStatus[];
  readonly notifiers: readonly NotifierStatus[];
}

/** The credentials that expire first. */
interface CredentialsStatus {
  /** `pod-identity`, `irsa` or `default`. */
  readonly source: string;
  /** The link of the default chain: `ECS task role`, `instance role`, `environment keys`, `profile dev (SSO)`. */
  readonly provider?: string | undefined;
  readonly expiresAt?: string | undefined;
}

/** One config and its directory. */
export interface ConfigStatus {
  /** The config file. */
  readonly file: string;
  /** Empty without a directory: `exec` with variables only. */
  readonly directory: string;
  readonly region: string;
  readonly failoverRegion?: string | undefined;
  readonly ready: boolean;
  readonly lastSuccess?: string | undefined;
  /** When a file last changed on disk; not set by a restart that changed nothing. */
  readonly lastChange?: string | undefined;
  readonly lastFailure?: string | undefined;
  /** Why that failed; kept after recovery, so compare `lastFailure` with `lastSuccess`. */
  readonly lastErrors: readonly ProblemStatus[];
  /** The file on disk is invalid, and the previous version is used. */
  readonly configProblems: readonly ProblemStatus[];
  readonly files: readonly FileStatus[];
  /** The environment variables in `envFile`, or those of the command of `exec`, in the order of the config. */
  readonly variables: readonly VariableStatus[];
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
  /** Where the value was fetched: the failover region while the primary fails. */
  readonly region: string;
  readonly version: string;
  /** When this process first fetched another version; undefined for the version that it started with. */
  readonly changedAt?: string | undefined;
}

/** One environment variable. */
export interface VariableStatus {
  readonly name: string;
  /** objectName. */
  readonly object: string;
  readonly service: Service;
  /** Where the value was fetched. */
  readonly region: string;
  /** Of the object. */
  readonly version: string;
}

/** Each file; `changedAt` is when this process saw its version change. */
export function filesStatus(
  facts: readonly Omit<FileStatus, 'changedAt'>[],
  before: readonly FileStatus[],
  isFirst: boolean,
  now: string,
): readonly FileStatus[] {
  const known = new Map(before.map((file) => [file.path, file]));
  return facts.map(({ path, object, service, region, version }) => {
    const old = known.get(path);
    const changedAt = old?.version === version ? old.changedAt : isFirst ? undefined : now;
    return { path, object, service, region, version, changedAt };
  });
}

/** The fields of a Problem that a person needs. */
export interface ProblemStatus {
  readonly code: string;
  readonly subject: string;
  readonly message: string;
  readonly remedy: string;
}

/** A problem on the page. */
export function problemStatus(problem: Problem): ProblemStatus {
  const { code, subject, message, remedy } = problem;
  return { code, subject, message, remedy };
}

/** Tracks the state of a sidecar; its loop reports each step. */
export interface StatusTracker {
  status(): SidecarStatus;
  /** Everything is published; the next sync is in `delay` milliseconds. */
  ready(delay: number): void;
  succeeded(delay: number): void;
  failed(problems: readonly Problem[], failures: number, delay: number): void;
  stopping(): void;
}

/** The sources of the status page. */
export interface StatusTrackerOptions {
  readonly targets: readonly { isReady(): boolean; status(): ConfigStatus }[];
  readonly queue: NotificationQueue;
  readonly credentials: () => CredentialsInUse | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** The tracker of a sidecar that starts now. */
export function createStatusTracker(options: StatusTrackerOptions): StatusTracker {
  const { targets, queue, clock, log } = options;
  const startedAt = timeText(clock.now());
  let phase: SidecarStatus['phase'] = 'start';
  let nextSync: string | undefined;
  let consecutiveFailures = 0;
  const failureLog = createFailureLog(log);
  const setNextSync = (delay: number): void => {
    nextSync = timeText(clock.now() + delay);
  };
  return {
    status() {
      return {
        version,
        startedAt,
        ready: targets.every((target) => target.isReady()),
        phase,
        nextSync,
        consecutiveFailures,
        credentials: credentialsStatus(options.credentials()),
        configs: targets.map((target) => target.status()),
        notifiers: queue.status(),
      };
    },

    ready(delay) {
      phase = 'steady';
      setNextSync(delay);
    },

    succeeded(delay) {
      setNextSync(delay);
      if (consecutiveFailures > 0) {
        const failures = consecutiveFailures;
        log.write('sync.recovered', `recovered after ${plural(failures, 'failed attempt')}`, {
          failures,
        });
      }
      consecutiveFailures = 0;
      failureLog.succeeded();
    },

    failed(problems, failures, delay) {
      setNextSync(delay);
      consecutiveFailures = failures;
      failureLog.failed(problems, failures, delay);
    },

    stopping() {
      phase = 'stopping';
    },
  };
}

function credentialsStatus(credentials: CredentialsInUse | undefined): CredentialsStatus | undefined {
  if (credentials === undefined) return undefined;
  const { expiresAt } = credentials;
  return { ...credentials, expiresAt: expiresAt === undefined ? undefined : timeText(expiresAt) };
}
