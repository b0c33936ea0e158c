/**
 * The state of sources in a worker: it comes from the process that started the worker, and goes back to it.
 */

import type { SourceState } from '../aws/source-state.ts';
import { readCredentials, writeCredentials } from '../worker/credentials-file.ts';

/** Batches are disabled until then; `until` in milliseconds of `Clock.elapsed`. */
interface BatchesDisabled {
  readonly kind: 'batchesDisabled';
  readonly identity: string;
  readonly until: number;
}

/** The state; `batchesDisabled` is that of the request. Credentials are kept in the inherited file, which no message contains. */
export function workerSourceState(
  batchesDisabled: Readonly<Record<string, number>>,
  report: (message: BatchesDisabled) => void,
): SourceState {
  const kept = readCredentials();
  return {
    batchesDisabled: (identity) => batchesDisabled[identity],
    disableBatches: (identity, until) =>
      report({ kind: 'batchesDisabled', identity, until: Math.min(until, Number.MAX_SAFE_INTEGER) }),
    credentials: (identity) => kept.get(identity),
    keepCredentials(identity, credentials) {
      if (credentials === undefined) kept.delete(identity);
      else kept.set(identity, credentials);
      writeCredentials(kept);
    },
  };
}
