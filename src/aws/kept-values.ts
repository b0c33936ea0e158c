/**
 * Keeps the values that a start has fetched while it is retried, so that a retry reads only what is missing.
 *
 * Without it a retry reads every value again: while the parameters of a large fleet are throttled, its retries would use up the quota of
 * Secrets Manager too (`npm run herd`). Only until the first success: a kept value would hide a change from a refresh.
 */

import type { FetchedValue, SecretRefKey } from '../config/secret-ref.ts';
import type { SecretSource } from './fetcher.ts';

/** A source that keeps values. */
export type KeepingSource<Source> = Source & {
  /** Whether it has any. */
  hasValues(): boolean;
};

/** The source, with values that were found kept until the process ends. */
export function keepValues<Source extends SecretSource>(source: Source): KeepingSource<Source> {
  const kept = new Map<SecretRefKey, FetchedValue>();
  return {
    ...source,
    hasValues: () => kept.size > 0,
    async read(refs, signal, phase) {
      const missing = refs.filter(({ key }) => !kept.has(key));
      const results = missing.length === 0 ? new Map() : await source.read(missing, signal, phase);
      for (const [key, result] of results) if (result.kind === 'found') kept.set(key, result);
      return new Map([...results, ...kept]);
    },
  };
}
