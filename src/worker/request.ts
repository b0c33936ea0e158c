/**
 * The request of a sync: the state that the sidecar passes to a worker, because it outlives the worker.
 *
 * It contains the texts of configs, which are not secret, and no values.
 */

import type { ProblemMessage } from '../core/problem-fields.ts';
import type { DirectoryHandle } from '../publish/held-directory.ts';
import type { PinnedObject, Report } from './report.ts';

/** In the first phase a pod waits to start; in the steady phase, retries must not add to an outage at AWS. */
export type Phase = 'start' | 'steady';

/** One sync of all configs. */
export interface SyncRequest {
  /**
   * `sync`: everything. `plan`: only reads the configs. `secrets`: only checks whether Kubernetes Secrets are as they were
   * applied.
   */
  readonly work: 'sync' | 'plan' | 'secrets';
  readonly phase: Phase;
  readonly configs: readonly ConfigRequest[];
  /** Configs, by index, to render after all others and in this order, because they may end the worker. */
  readonly renderLast: readonly number[];
  /** Until when batches are disabled, for each identity. */
  readonly batchesDisabled: Readonly<Record<string, number>>;
}

/** One config. */
export interface ConfigRequest {
  readonly file: string;
  readonly directory: DirectoryHandle;
  /** The config on disk, or why it cannot be read. */
  readonly content: ConfigContent;
  /** The text that was last used with success; undefined: none yet. */
  readonly inUse: string | undefined;
  /**
   * The region of that plan. A config without a region gets it here, because the place where it was found, such as the instance
   * metadata service, may be unavailable now.
   */
  readonly region: string | undefined;
  /** Its plan was published once: only then is the failover region left out. */
  readonly isVerified: boolean;
  /** How many files of objects the last publish of this process had (for `exec`, variables too); undefined: it has not published yet. */
  readonly publishedFiles: number | undefined;
  readonly pinned: readonly PinnedObject[];
}

/** The content of a config file. */
export type ConfigContent =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'unreadable'; readonly problems: readonly ProblemMessage[] };

/**
 * Does the work and reports it. Resolves when the report is complete, whether the configs failed or not. Rejects with the
 * reason of `stop`, with a Problem if the worker did not finish, or with a bug.
 */
export type RunSync = (request: SyncRequest, report: Report, stop: AbortSignal) => Promise<void>;
