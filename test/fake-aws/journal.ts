/**
 * Every call in the order of arrival: identity, service, operation and result. Never a value.
 *
 * An entry exists as soon as the request is read; its status is 0 until the response was sent, and stays 0 if the call hangs or its
 * connection is closed.
 */

import { type CallFilter, hits } from './faults.ts';
import type { ServiceName } from './service.ts';

export interface JournalEntry {
  /** Milliseconds since 1970, by the fake AWS's clock. */
  readonly at: number;
  readonly service: ServiceName;
  /** As in AWS's API; `GetCredentials` of the agent. */
  readonly operation: string;
  /** From the signature; empty for operations without a signature. */
  readonly region: string;
  /** The requested names, ARNs or paths. */
  readonly ids: readonly string[];
  /** ARN of the signer, once the signature was verified. */
  identity: string | undefined;
  status: number;
  /** AWS's code when the response is an error. */
  code: string | undefined;
  /** The kind of fault that acted. */
  fault: string | undefined;
  /** Bytes of the request's body. */
  readonly received: number;
  /** Bytes of the response's body. */
  sent: number;
  /** Number of the connection, from 1: equal numbers mean one kept-alive connection. */
  readonly connection: number;
}

export interface JournalFilter extends CallFilter {
  readonly status?: number;
  readonly code?: string;
  /** Part of the signer's ARN. */
  readonly identity?: string;
}

export interface Journal {
  add(entry: JournalEntry): void;
  calls(filter?: JournalFilter): readonly JournalEntry[];
  count(filter?: JournalFilter): number;
  clear(): void;
}

export function journal(): Journal {
  let entries: JournalEntry[] = [];

  function calls(filter: JournalFilter = {}): readonly JournalEntry[] {
    const { status, code, identity } = filter;
    return entries.filter(
      (entry) =>
        hits(filter, entry) &&
        (status === undefined || status === entry.status) &&
        (code === undefined || code === entry.code) &&
        (identity === undefined || entry.identity?.includes(identity) === true),
    );
  }

  return {
    add(entry) {
      entries.push(entry);
    },
    calls,
    count: (filter) => calls(filter).length,
    clear() {
      entries = [];
    },
  };
}
