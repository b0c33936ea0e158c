/**
 * Where a sidecar is in its life: what its status page shows of it, and what its log says.
 *
 * A change of state is said once. What only lasts is said at `debug`.
 */

import { distinct } from './core/last-words.ts';
import type { Problem } from './core/problem.ts';
import { type AgentStatus, type CredentialsStatus, momentText } from './core/status/status.ts';
import { durationText } from './core/units.ts';
import type { Clock, Log } from './ports.ts';
import type { Publication } from './publication.ts';
import type { Teller } from './teller.ts';
import { version } from './version.ts';

/** The life of a sidecar, told by whoever leads it. */
export interface Course {
  status(): AgentStatus;
  /** The files are there; the next refresh is in `delay` milliseconds. `listen`: where the pages are, or `off`. */
  ready(listen: string, delay: number): void;
  refreshed(delay: number): void;
  failed(problems: readonly Problem[], failures: number, delay: number): void;
  stopping(stop: AbortSignal): void;
}

/** What the status page is made of. */
export interface CourseOptions {
  readonly publications: readonly Publication[];
  readonly teller: Teller;
  readonly credentials: () => CredentialsStatus | undefined;
  /** Milliseconds between refreshes. */
  readonly interval: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** The course of a sidecar that starts now. */
export function startCourse(options: CourseOptions): Course {
  const { publications, teller, interval, clock, log } = options;
  const startedAt = momentText(clock.now());
  let phase: AgentStatus['phase'] = 'start';
  let nextSync: string | undefined;
  let consecutiveFailures = 0;
  let failing = '';
  const due = (delay: number): void => {
    nextSync = momentText(clock.now() + delay);
  };
  return {
    status() {
      const credentials = options.credentials();
      return {
        version,
        startedAt,
        ready: publications.every((publication) => publication.isReady()),
        phase,
        ...(nextSync === undefined ? {} : { nextSync }),
        consecutiveFailures,
        ...(credentials === undefined ? {} : { credentials }),
        configs: publications.map((publication) => publication.status()),
        notifiers: teller.status(),
      };
    },

    ready(listen, delay) {
      phase = 'steady';
      due(delay);
      const every = durationText(interval);
      log.write('info', 'sidecar.ready', `files are there; refreshing every ${every}`, {
        listen,
        interval: every,
      });
    },

    refreshed(delay) {
      due(delay);
      if (consecutiveFailures > 0) {
        const failures = consecutiveFailures;
        log.write('info', 'refresh.recovered', `syncing again after ${failures} failures`, { failures });
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
        if (now === failing) log.problem('debug', 'refresh.failedAgain', problem, fields);
        else log.problem('warn', 'refresh.failed', problem, fields);
      }
      failing = now;
    },

    stopping(stop) {
      phase = 'stopping';
      if (!stop.aborted) return;
      const reason = stop.reason instanceof Error ? stop.reason.message : 'stop';
      log.write('info', 'sidecar.stopping', `asked to end by ${reason}`, { reason });
    },
  };
}
