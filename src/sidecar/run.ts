/**
 * `runSidecar`: the composition of a sidecar from its parts. The command passes the real effects, the phase tests fake ones.
 *
 * The HTTP endpoints are served before the first phase, so that probes get a response.
 */

import { durationText } from '../cli/values.ts';
import type { Log } from '../core/log.ts';
import type { Problem } from '../core/problem.ts';
import type { Endpoints } from '../http/routes.ts';
import { createExitOnChange, type ExitOnChange } from './exit-on-change.ts';
import { logRetry, runLoop } from './loop.ts';
import type { ProcessFigures, SidecarMetrics } from './metrics.ts';
import { createStatusTracker } from './status.ts';
import { createSync, type SyncOptions } from './sync.ts';
import { createRefreshLimit, REFRESH_SPACING, type Triggers } from './triggers.ts';

/** Milliseconds for running notifications after SIGTERM; the whole shutdown has 5 s. */
const SHUTDOWN_NOTIFY_GRACE = 3000;

/** A server of the HTTP endpoints. */
export interface EndpointServer {
  /** `host:port`, with the port that the system chose. */
  readonly address: string;
  close(): Promise<void>;
}

/** The parts of a sidecar. */
export interface SidecarOptions
  extends Omit<SyncOptions, 'meter' | 'countSync' | 'countReload' | 'countNotification' | 'onChange'> {
  /** Milliseconds between refreshes. */
  readonly interval: number;
  /** Milliseconds for the first phase. */
  readonly startTimeout: number;
  readonly triggers: Triggers;
  /** The exit code once the files have changed; undefined: a change does not end the sidecar. */
  readonly exitOnChange?: number | undefined;
  readonly metrics: SidecarMetrics;
  /** Watches the configs and calls back at each edit; resolves when no later edit can be missed. */
  readonly watch: (onChange: () => void) => Promise<void>;
  /** The first phase is over: what its syncs kept is not needed. */
  readonly endStart?: () => void;
  /** A sync of the first phase failed with these transient problems. */
  readonly onRetry?: (problems: readonly Problem[]) => void;
  /** undefined: `--listen off`. */
  readonly openServer: ((endpoints: Endpoints) => Promise<EndpointServer>) | undefined;
  readonly processFigures: () => ProcessFigures;
  /** A sync has ended, and the next one is not due for a while. */
  readonly onIdle: () => void;
  /** Checks the Kubernetes Secrets between syncs, until the stop. */
  readonly watchSecrets?: (areStale: () => Promise<boolean>) => void;
  /** Releases the directories. */
  readonly close: () => Promise<void>;
}

/**
 * Keeps the files up to date until `stop`. Resolves with the code of `exitOnChange`. Rejects with the reason of `stop`, with the problems
 * of a first phase that failed, or with a bug.
 */
export async function runSidecar(options: SidecarOptions, stop: AbortSignal): Promise<number> {
  const { clock, interval, log, metrics, triggers, onIdle } = options;
  await using closers = new AsyncDisposableStack();
  closers.defer(options.close);
  const { countSync, countNotification, countReload } = metrics;
  let exiting: ExitOnChange | undefined;
  const onChange = () => exiting?.changed();
  const counters = { meter: metrics.api, countSync, countReload, countNotification };
  const syncs = createSync({ ...options, ...counters, onChange });
  const { queue, sync, credentials } = syncs;
  const tracker = createStatusTracker({ ...options, queue, credentials });
  let address = 'off';
  const end = new AbortController();
  const stopOrEnd = AbortSignal.any([stop, end.signal]);
  const { exitOnChange: exitCode } = options;
  if (exitCode !== undefined) {
    const hasNotifiers = options.notifiers.length > 0;
    exiting = createExitOnChange({ ...options, exitCode, queue, hasNotifiers }, stopOrEnd);
    exiting.exit.catch(() => {});
  }
  let opening: Promise<EndpointServer> | undefined;
  let loop: Promise<never> | undefined;
  try {
    // First, because its worker then starts while the server is loaded.
    loop = runLoop(
      {
        clock,
        interval,
        startTimeout: options.startTimeout,
        triggers,
        sync,
        whenReady: syncs.whenReady,
        reload: syncs.reload,
        async watch() {
          address = (await opening)?.address ?? 'off';
          await options.watch(() => triggers.trigger('config'));
        },
        onRetry: logRetry(log, options.onRetry),
        onStartOver: options.endStart,
        onReady(delay) {
          tracker.ready(delay);
          logReady(log, address, interval);
          options.watchSecrets?.(() => syncs.areSecretsStale(stopOrEnd));
          onIdle();
        },
        onSuccess(delay) {
          tracker.succeeded(delay);
          exiting?.synced();
          onIdle();
        },
        onFailure(problems, failures, delay) {
          tracker.failed(problems, failures, delay);
          onIdle();
        },
      },
      stopOrEnd,
    );
    opening = options.openServer?.({
      status: tracker.status,
      metrics: () => metrics.render(tracker.status(), options.processFigures()),
      refresh: createRefreshLimit(() => triggers.trigger('request'), REFRESH_SPACING, clock, stop),
    });
    const failing = opening?.then(() => new Promise<never>(() => {}));
    return await Promise.race([loop, failing, exiting?.exit].filter((one) => one !== undefined));
  } finally {
    tracker.stopping();
    logStopping(log, stop);
    end.abort();
    const closing = opening?.then((server) => server.close()).catch(() => {});
    await Promise.all([closing, loop?.catch(() => {}), queue.close(SHUTDOWN_NOTIFY_GRACE)]);
  }
}

function logReady(log: Log, listen: string, interval: number): void {
  const every = durationText(interval);
  log.write('sidecar.ready', `ready, refresh interval ${every}`, { listen, interval: every });
}

function logStopping(log: Log, stop: AbortSignal): void {
  if (!stop.aborted) return;
  const reason = stop.reason instanceof Error ? stop.reason.message : 'stop';
  log.write('sidecar.stopping', `received ${reason}, shutting down`, { reason });
}
