/**
 * Which values a pass asks for.
 *
 * A pinned version never changes, so once it was read it is not asked for again. In the first phase the failover region is
 * asked along with the primary, for a failover that could never work must show on the first day; in a refresh it is asked
 * only for what the primary could not serve. Configs that share a source are asked in one go, so that batches are filled.
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
import { failoverRefs } from './failover.ts';

/** Where values come from. */
export interface SecretSource {
  /**
   * Asks for all of them at once; answers with one outcome for each. Failures of single reads, of credentials and of the
   * network are outcomes, not rejections; only an abort by `signal` rejects.
   */
  read(reads: readonly SecretRef[], signal: AbortSignal): Promise<FetchResults>;
}

/** What is asked of one source: a plan, and whether its failover region is asked along. */
export interface FetchRequest {
  readonly plan: Plan;
  readonly source: SecretSource;
  readonly bothRegions: boolean;
}

/** Asks for what a pass needs. */
export interface Fetcher {
  /** The outcomes of each question, in order. Rejects only when `stop` is aborted. */
  fetch(requests: readonly FetchRequest[], stop: AbortSignal): Promise<readonly FetchResults[]>;
}

/** A fetcher with a memory for pinned values: that of the process, for as long as a plan names them. */
export function createFetcher(): Fetcher {
  let pinned = new Map<SecretSource, ReadonlyMap<SecretRefKey, FetchedValue>>();

  async function fetch(
    requests: readonly FetchRequest[],
    stop: AbortSignal,
  ): Promise<readonly FetchResults[]> {
    const sources = [...new Set(requests.map(({ source }) => source))];
    const answers = await Promise.all(
      sources.map(async (source) => {
        const asked = requests.filter((request) => request.source === source);
        return [source, await fetchFrom(source, asked, pinned.get(source) ?? new Map(), stop)] as const;
      }),
    );
    pinned = new Map(answers.map(([source, outcomes]) => [source, pinnedValues(source, requests, outcomes)]));
    const bySource = new Map(answers);
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
  const outcomes = new Map<SecretRefKey, FetchResult>(pinned);
  const fetchMissing = async (reads: readonly SecretRef[]): Promise<void> => {
    const missing = missingReads(reads, outcomes);
    if (missing.length > 0)
      for (const [key, outcome] of await source.read(missing, stop)) outcomes.set(key, outcome);
  };
  await fetchMissing(
    requests.flatMap(({ plan, bothRegions }) =>
      plan.objects.flatMap(({ primary, failover }) =>
        bothRegions && failover !== undefined ? [primary, failover] : [primary],
      ),
    ),
  );
  await fetchMissing(
    requests.flatMap(({ plan, bothRegions }) => (bothRegions ? [] : failoverRefs(plan, outcomes))),
  );
  return outcomes;
}

/** Each read once, without those whose outcome is known. */
function missingReads(reads: readonly SecretRef[], outcomes: FetchResults): readonly SecretRef[] {
  const missing = new Map(reads.map((read) => [read.key, read]));
  return [...missing.values()].filter((read) => !outcomes.has(read.key));
}

function pinnedValues(
  source: SecretSource,
  requests: readonly FetchRequest[],
  outcomes: FetchResults,
): ReadonlyMap<SecretRefKey, FetchedValue> {
  const pinned = new Map<SecretRefKey, FetchedValue>();
  for (const request of requests) {
    if (request.source !== source) continue;
    for (const { primary, failover } of request.plan.objects) {
      for (const read of [primary, failover]) {
        const outcome = read === undefined ? undefined : outcomes.get(read.key);
        if (read !== undefined && isPinned(read) && outcome?.kind === 'found') pinned.set(read.key, outcome);
      }
    }
  }
  return pinned;
}
