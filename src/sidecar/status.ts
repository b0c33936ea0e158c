/**
 * The state of a sidecar: the page /status, field for field, and its log of state changes.
 *
 * An interface: fields are added, never renamed. It contains names, versions, times and errors, but no secret, nor its length or
 * digest. Times are ISO 8601 in UTC; a time that does not exist yet is undefined. A state change is logged once; a state that
 * persists is logged at `debug`.
 */

import type { CredentialsInUse } from '../aws/sources.ts';
import { durationText } from '../cli/values.ts';
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
  /** The environment variables in `envFile`, in its order. */
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

/** One environment variable in `envFile`. */
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
  /** Everything is published; the next sync is in `delay` milliseconds. `listen`: the address of the endpoints, or `off`. */
  ready(listen: string, delay: number): void;
  succeeded(delay: number): void;
  failed(problems: readonly Problem[], failures: number, delay: number): void;
  stopping(stop: AbortSignal): void;
}

/** The sources of the status page. */
export interface StatusTrackerOptions {
  readonly targets: readonly { isReady(): boolean; status(): ConfigStatus }[];
  readonly queue: NotificationQueue;
  readonly credentials: () => CredentialsInUse | undefined;
  /** Milliseconds between refreshes. */
  readonly interval: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** The tracker of a sidecar that starts now. */
export function createStatusTracker(options: StatusTrackerOptions): StatusTracker {
  const { targets, queue, interval, clock, log } = options;
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

    ready(listen, delay) {
      phase = 'steady';
      setNextSync(delay);
      const every = durationText(interval);
      log.write('sidecar.ready', `ready, refresh interval ${every}`, {
        listen,
        interval: every,
      });
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
    stopping(stop) {
      phase = 'stopping';
      if (!stop.aborted) return;
      const reason = stop.reason instanceof Error ? stop.reason.message : 'stop';
      log.write('sidecar.stopping', `received ${reason}, shutting down`, { reason });
    },
  };
}

function credentialsStatus(credentials: CredentialsInUse | undefined): CredentialsStatus | undefined {
  if (credentials === undefined) return undefined;
  const { expiresAt } = credentials;
  return { ...credentials, expiresAt: expiresAt === undefined ? undefined : timeText(expiresAt) };
}
