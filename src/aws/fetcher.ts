/**
 * Fetches the values that a sync needs.
 *
 * At the start the failover region is fetched together with the primary, so that a failover that cannot work is reported at the
 * first start; later it is fetched only for what the primary did not return.
 * Configs that share a source are fetched together, so that batches are filled.
 */

import type { Plan } from '../config/plan.ts';
import type { FetchResult, FetchResults, SecretRef, SecretRefKey } from '../config/secret-ref.ts';
import type { FetchPhase } from './batches.ts';
import { failoverRefs } from './failover.ts';

/** Where values come from. */
export interface SecretSource {
  /**
   * Fetches all refs at once and returns one result for each. Failures of single refs, of credentials and of the network are
   * results, not rejections; only an abort by `signal` rejects. `phase`: 'refresh' by default.
   */
  read(refs: readonly SecretRef[], signal: AbortSignal, phase?: FetchPhase): Promise<FetchResults>;
}

/** A plan, its source, and whether to fetch the failover region too. */
export interface FetchRequest {
  readonly plan: Plan;
  readonly source: SecretSource;
  readonly bothRegions: boolean;
}

/** The results of each request, in order. Rejects only if `stop` is aborted. */
export async function fetchValues(
  requests: readonly FetchRequest[],
  stop: AbortSignal,
): Promise<readonly FetchResults[]> {
  const sources = [...new Set(requests.map(({ source }) => source))];
  const results = new Map(
    await Promise.all(
      sources.map(async (source) => {
        const forSource = requests.filter((request) => request.source === source);
        return [source, await fetchFrom(source, forSource, stop)] as const;
      }),
    ),
  );
  return requests.map(({ source }) => results.get(source) ?? new Map());
}

async function fetchFrom(
  source: SecretSource,
  requests: readonly FetchRequest[],
  stop: AbortSignal,
): Promise<FetchResults> {
  const results = new Map<SecretRefKey, FetchResult>();
  // A config without files delays the start of its pod, so all configs are fetched as at a start.
  const phase = requests.some(({ bothRegions }) => bothRegions) ? 'start' : 'refresh';
  const fetchMissing = async (refs: readonly SecretRef[]): Promise<void> => {
    const missing = missingRefs(refs, results);
    if (missing.length > 0)
      for (const [key, result] of await source.read(missing, stop, phase)) results.set(key, result);
  };
  await fetchMissing(
    requests.flatMap(({ plan, bothRegions }) =>
      plan.objects.flatMap(({ primary, failover }) =>
        bothRegions && failover !== undefined ? [primary, failover] : [primary],
      ),
    ),
  );
  await fetchMissing(
    requests.flatMap(({ plan, bothRegions }) => (bothRegions ? [] : failoverRefs(plan, results))),
  );
  return results;
}

/** Each ref once, without those that have a result. */
function missingRefs(refs: readonly SecretRef[], results: FetchResults): readonly SecretRef[] {
  const missing = new Map(refs.map((ref) => [ref.key, ref]));
  return [...missing.values()].filter((ref) => !results.has(ref.key));
}
