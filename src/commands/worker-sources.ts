/**
 * The sources of a worker: their state comes from the process that started the worker and goes back to it, and so do their API calls.
 */

import type { ApiMeter } from '../aws/client.ts';
import type { SourceState } from '../aws/source-state.ts';
import { readCredentials, writeCredentials } from '../worker/credentials-file.ts';
import type { MessageOf } from '../worker/report.ts';
import type { SyncRequest } from '../worker/request.ts';

type SourceMessage = MessageOf<'apiCall' | 'batchesDisabled'>;

/** What sources have in every worker. */
export interface WorkerSourceOptions {
  readonly meter: ApiMeter;
  readonly state: SourceState;
  readonly keepsValues: boolean;
}

/** The options for a sync like this, and for those after it in the same worker. */
export function workerSourceOptions(
  { phase, batchesDisabled }: Pick<SyncRequest, 'phase' | 'batchesDisabled'>,
  report: (message: SourceMessage) => void,
): WorkerSourceOptions {
  return {
    meter: {
      apiCall: (service, operation, region, result) =>
        report({ kind: 'apiCall', service, operation, region, result }),
    },
    state: sourceState(batchesDisabled, report),
    // A refresh must read every value again.
    keepsValues: phase === 'start',
  };
}

/** The state at the start of the worker. Credentials are kept in the inherited file, which no message contains. */
function sourceState(
  batchesDisabled: Readonly<Record<string, number>>,
  report: (message: SourceMessage) => void,
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
