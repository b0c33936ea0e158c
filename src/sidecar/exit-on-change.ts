/**
 * `--exit-on-change`: ends the sidecar with a chosen exit code when the files have changed, so that a rule of the pod restarts
 * its containers.
 *
 * It exits only after a sync of all configs, once the application was notified, and after the splay. The first publish of a
 * process is not a change: after an exit the restarted sidecar publishes again, and would exit in a loop.
 */

import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { problemsOrThrow } from '../core/problem.ts';
import type { NotificationQueue } from '../notify/queue.ts';

/** The exit code, and what determines when to exit. */
export interface ExitOnChangeOptions {
  readonly exitCode: number;
  readonly queue: Pick<NotificationQueue, 'drain'>;
  /** Notifications wait for the splay themselves. */
  readonly hasNotifiers: boolean;
  /** The longest random wait, in milliseconds. */
  readonly splay: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Receives the events of a sidecar, and resolves with the exit code. */
export interface ExitOnChange {
  /** A publish changed the files; not the first publish of the process. */
  changed(): void;
  /** A sync of all configs succeeded. */
  synced(): void;
  /** Resolves with the exit code when it is time to exit. Rejects with the reason of `stop`, or a bug. */
  readonly exit: Promise<number>;
}

/** Milliseconds that notifications may take. */
const NOTIFY_TIMEOUT = 30_000;

/** Exits once, and never after `stop`. */
export function createExitOnChange(options: ExitOnChangeOptions, stop: AbortSignal): ExitOnChange {
  const { exitCode, queue, hasNotifiers, splay, clock, log } = options;
  const exit = Promise.withResolvers<number>();
  let hasChanged = false;
  let isWaiting = false;

  async function waitForExit(): Promise<number> {
    if (hasNotifiers) {
      try {
        await queue.drain(NOTIFY_TIMEOUT, stop);
      } catch (error) {
        stop.throwIfAborted();
        // The queue has logged why. A restarted application has the new files without a notification.
        problemsOrThrow(error);
      }
    } else {
      await clock.sleep(splay * clock.random(), stop);
    }
    log.write('restart.requested', `the files changed: exiting with code ${exitCode} (--exit-on-change)`, {
      exitCode,
    });
    return exitCode;
  }

  return {
    changed() {
      hasChanged = true;
    },
    synced() {
      if (!hasChanged || isWaiting) return;
      isWaiting = true;
      waitForExit().then(exit.resolve, exit.reject);
    },
    exit: exit.promise,
  };
}
