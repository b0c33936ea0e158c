/**
 * State of sources that outlives their process: session credentials, so that a refresh works while the agent or STS is
 * unavailable, and disabled batches, so that they are not tried at each sync.
 */

import type { CachedCredentials } from './credential-cache.ts';

/** The state; `identity` distinguishes the sources of a process. */
export interface SourceState {
  /** Until when batches are disabled, in milliseconds of `Clock.elapsed`; undefined: they are enabled. */
  batchesDisabled(identity: string): number | undefined;
  disableBatches(identity: string, until: number): void;
  credentials(identity: string): CachedCredentials | undefined;
  /** undefined: AWS rejected them. */
  keepCredentials(identity: string, credentials: CachedCredentials | undefined): void;
}

/** For a process that does not end between syncs: its sources keep this state themselves. */
export const noState: SourceState = {
  batchesDisabled: () => undefined,
  disableBatches() {},
  credentials: () => undefined,
  keepCredentials() {},
};
