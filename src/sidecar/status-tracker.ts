/**
 * Where a sidecar is in its life: what its status page shows of it, and what its log says.
 *
 * A change of state is said once. What only lasts is said at `debug`.
 */

import type { CredentialsInUse } from '../aws/sources.ts';
import { durationText } from '../cli/values.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { distinct, type Problem } from '../core/problem.ts';
import { version } from '../core/version.ts';
import type { NotificationQueue } from '../notify/queue.ts';
import { type CredentialsStatus, momentText, type SidecarStatus } from './status.ts';
import type { SyncTarget } from './target.ts';

/** The life of a sidecar, told by whoever leads it. */
export interface StatusTracker {
  status(): SidecarStatus;
  /** The files are there; the next refresh is in `delay` milliseconds. `listen`: where the pages are, or `off`. */
  ready(listen: string, delay: number): void;
  succeeded(delay: number): void;
  failed(problems: readonly Problem[], failures: number, delay: number): void;
  stopping(stop: AbortSignal): void;
}

/** What the status page is made of. */
export interface StatusTrackerOptions {
  readonly targets: readonly SyncTarget[];
  readonly queue: NotificationQueue;
  readonly credentials: () => CredentialsInUse | undefined;
  /** Milliseconds between refreshes. */
  readonly interval: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** The course of a sidecar that starts now. */
export function createStatusTracker(options: StatusTrackerOptions): StatusTracker {
  const { targets, queue, interval, clock, log } = options;
  const startedAt = momentText(clock.now());
  let phase: SidecarStatus['phase'] = 'start';
  let nextSync: string | undefined;
  let consecutiveFailures = 0;
  let failing = '';
  const due = (delay: number): void => {
    nextSync = momentText(clock.now() + delay);
  };
  return {
    status() {
      const credentials = credentialsStatus(options.credentials());
      return {
        version,
        startedAt,
        ready: targets.every((publication) => publication.isReady()),
        phase,
        ...(nextSync === undefined ? {} : { nextSync }),
        consecutiveFailures,
        ...(credentials === undefined ? {} : { credentials }),
        configs: targets.map((publication) => publication.status()),
        notifiers: queue.status(),
      };
    },

    ready(listen, delay) {
      phase = 'steady';
      due(delay);
      const every = durationText(interval);
      log.write('sidecar.ready', `files are there; refreshing every ${every}`, {
        listen,
        interval: every,
      });
    },

    succeeded(delay) {
      due(delay);
      if (consecutiveFailures > 0) {
        const failures = consecutiveFailures;
        log.write('sync.recovered', `syncing again after ${failures} failures`, { failures });
      }
      consecutiveFailures = 0;
      failing = '';
    },

    /** Request ids differ from time to time: the same failure is the same kind of it at the same place. */
    failed(problems, failures, delay) {
      due(delay);
      consecutiveFailures = failures;
      const now = problems.map(({ code, subject }) => `${code} ${subject}`).join();
      const fields = { attempt: failures, retryIn: durationText(delay) };
      for (const problem of distinct(problems)) {
        if (now === failing) log.problem('sync.failedAgain', problem, fields);
        else log.problem('sync.failed', problem, fields);
      }
      failing = now;
    },

    stopping(stop) {
      phase = 'stopping';
      if (!stop.aborted) return;
      const reason = stop.reason instanceof Error ? stop.reason.message : 'stop';
      log.write('sidecar.stopping', `asked to end by ${reason}`, { reason });
    },
  };
}

function credentialsStatus(credentials: CredentialsInUse | undefined): CredentialsStatus | undefined {
  if (credentials === undefined) return undefined;
  const { source, servedBy, expiresAt } = credentials;
  return {
    source,
    ...(servedBy === undefined ? {} : { servedBy }),
    ...(expiresAt === undefined ? {} : { expiresAt: momentText(expiresAt) }),
  };
}
