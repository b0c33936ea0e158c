/**
 * Keeps the values that a start has fetched while it is retried, so that a retry reads only what is missing.
 *
 * Without it a retry reads every value again: while the parameters of a large fleet are throttled, its retries would use up the quota of
 * Secrets Manager too (`npm run herd`). Only for a process that fetches until the first success: a kept value would hide a change from
 * a refresh.
 */

import type { FetchedValue, SecretRefKey } from '../config/secret-ref.ts';
import type { SecretSource } from './fetcher.ts';

/** The source, with values that were found kept until the process ends. */
export function keepValues<Source extends SecretSource>(source: Source): Source {
  const kept = new Map<SecretRefKey, FetchedValue>();
  return {
    ...source,
    async read(refs, signal, phase) {
      const missing = refs.filter(({ key }) => !kept.has(key));
      const results = missing.length === 0 ? new Map() : await source.read(missing, signal, phase);
      for (const [key, result] of results) if (result.kind === 'found') kept.set(key, result);
      return new Map([...results, ...kept]);
    },
  };
}
