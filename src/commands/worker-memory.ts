/**
 * The state of sources in a worker: it comes from the process that started the worker, and goes back to it.
 */

import type { SourceMemory } from '../aws/source-memory.ts';
import { readCredentials, writeCredentials } from '../worker/credentials-file.ts';

/** A refused batch; `until` in milliseconds of `Clock.elapsed`. */
interface BatchesRefused {
  readonly kind: 'batchesRefused';
  readonly identity: string;
  readonly until: number;
}

/** The state; `batchesRefused` is that of the request. Credentials are kept in the inherited file, which no message contains. */
export function workerMemory(
  batchesRefused: Readonly<Record<string, number>>,
  report: (message: BatchesRefused) => void,
): SourceMemory {
  const kept = readCredentials();
  return {
    batchesRefused: (identity) => batchesRefused[identity],
    refuseBatches: (identity, until) =>
      report({ kind: 'batchesRefused', identity, until: Math.min(until, Number.MAX_SAFE_INTEGER) }),
    credentials: (identity) => kept.get(identity),
    keepCredentials(identity, credentials) {
      if (credentials === undefined) kept.delete(identity);
      else kept.set(identity, credentials);
      writeCredentials(kept);
    },
  };
}
