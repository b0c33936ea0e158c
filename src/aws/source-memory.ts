/**
 * What sources remember beyond the end of their process: session credentials, so that a refresh works while the agent or STS
 * is away, and that batches are refused, so that they are not tried at each sync.
 */

import type { CachedCredentials } from './credential-cache.ts';

/** The memory; `identity` tells the sources of a process apart. */
export interface SourceMemory {
  /** Until when batches are refused: milliseconds of `Clock.elapsed`; undefined: they are not. */
  batchesRefused(identity: string): number | undefined;
  refuseBatches(identity: string, until: number): void;
  credentials(identity: string): CachedCredentials | undefined;
  /** undefined: AWS rejected them. */
  keepCredentials(identity: string, credentials: CachedCredentials | undefined): void;
}

/** Of a process that does not end between syncs: what it opened remembers everything already. */
export const noMemory: SourceMemory = {
  batchesRefused: () => undefined,
  refuseBatches() {},
  credentials: () => undefined,
  keepCredentials() {},
};
