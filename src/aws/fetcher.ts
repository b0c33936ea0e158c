/**
 * Fetches the values that a sync needs.
 *
 * A pinned version never changes, so it is fetched only once. At the start the failover region is fetched together with the primary,
 * so that a failover that cannot work is reported at the first start; later it is fetched only for what the primary did not return.
 * Configs that share a source are fetched together, so that batches are filled.
 */

import type { Plan } from '../config/plan.ts';
import {
  type FetchedValue,
  type FetchResult,
  type FetchResults,
  isPinned,
  type SecretRef,
  type SecretRefKey,
} from '../config/secret-ref.ts';
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

/** Fetches values and caches the pinned ones. */
export interface Fetcher {
  /** The results of each request, in order. Rejects only if `stop` is aborted. */
  fetch(requests: readonly FetchRequest[], stop: AbortSignal): Promise<readonly FetchResults[]>;
}

/** A fetcher with an empty cache. A pinned value is kept in memory as long as a plan names it. */
export function createFetcher(): Fetcher {
  let pinned = new Map<SecretSource, ReadonlyMap<SecretRefKey, FetchedValue>>();

  async function fetch(
    requests: readonly FetchRequest[],
    stop: AbortSignal,
  ): Promise<readonly FetchResults[]> {
    const sources = [...new Set(requests.map(({ source }) => source))];
    const fetched = await Promise.all(
      sources.map(async (source) => {
        const forSource = requests.filter((request) => request.source === source);
        return [source, await fetchFrom(source, forSource, pinned.get(source) ?? new Map(), stop)] as const;
      }),
    );
    pinned = new Map(fetched.map(([source, results]) => [source, pinnedValues(source, requests, results)]));
    const bySource = new Map(fetched);
    return requests.map(({ source }) => bySource.get(source) ?? new Map());
  }

  return { fetch };
}

async function fetchFrom(
  source: SecretSource,
  requests: readonly FetchRequest[],
  pinned: ReadonlyMap<SecretRefKey, FetchedValue>,
  stop: AbortSignal,
): Promise<FetchResults> {
  const results = new Map<SecretRefKey, FetchResult>(pinned);
  // A config whose files are not there yet waits for them.
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

function pinnedValues(
  source: SecretSource,
  requests: readonly FetchRequest[],
  results: FetchResults,
): ReadonlyMap<SecretRefKey, FetchedValue> {
  const pinned = new Map<SecretRefKey, FetchedValue>();
  for (const request of requests) {
    if (request.source !== source) continue;
    for (const { primary, failover } of request.plan.objects) {
      for (const ref of [primary, failover]) {
        const result = ref === undefined ? undefined : results.get(ref.key);
        if (ref !== undefined && isPinned(ref) && result?.kind === 'found') pinned.set(ref.key, result);
      }
    }
  }
  return pinned;
}
