/**
 * Checks Kubernetes Secrets between syncs during a migration from the CSI driver.
 *
 * While a pod of the old ReplicaSet runs, its driver writes a Secret again within 5 minutes; after the last old ReplicaSet
 * the garbage collector deletes the Secrets with its ownerReference. A refresh interval may be an hour; pods that start in
 * the meantime need the Secret within a minute.
 */

import type { Clock } from '../core/clock.ts';

/** Milliseconds between two checks, and for how long after the start of the process. */
const CHECK_INTERVAL = 60_000;
const WATCH_TIME = 3_600_000;

/** The options of the watch. */
export interface SecretsWatch {
  readonly clock: Clock;
  /** Whether a Secret is missing or was written by another manager. */
  readonly isStale: () => Promise<boolean>;
  /** Starts a sync; returns at once. */
  readonly onStale: () => void;
}

/** Checks every minute for an hour. Resolves after that hour, or as soon as `stop` is aborted. */
export async function watchSecrets(
  { clock, isStale, onStale }: SecretsWatch,
  stop: AbortSignal,
): Promise<void> {
  const end = clock.elapsed() + WATCH_TIME;
  while (clock.elapsed() < end) {
    await clock.sleep(CHECK_INTERVAL, stop).catch(() => {});
    if (stop.aborted) return;
    if (await isStale()) onStale();
  }
}
