/**
 * Which values a pass asks for.
 *
 * A pinned version never changes, so once it was read it is not asked for again. In the first phase the failover region is
 * asked along with the primary, for a failover that could never work must show on the first day; in a refresh it is asked
 * only for what the primary could not serve. Configs that share a source are asked in one go, so that batches are filled.
 */

import { failoverReads } from './core/choose.ts';
import type { Plan } from './core/plan.ts';
import {
  type FoundValue,
  isPinned,
  type Read,
  type ReadKey,
  type ReadOutcome,
  type ReadOutcomes,
} from './core/read.ts';
import type { SecretSource } from './ports.ts';

/** What is asked of one source: a plan, and whether its failover region is asked along. */
export interface Question {
  readonly plan: Plan;
  readonly source: SecretSource;
  readonly bothRegions: boolean;
}

/** Asks for what a pass needs. */
export interface Fetcher {
  /** The outcomes of each question, in order. Rejects only when `stop` is aborted. */
  fetch(questions: readonly Question[], stop: AbortSignal): Promise<readonly ReadOutcomes[]>;
}

/** A fetcher with a memory for pinned values: that of the process, for as long as a plan names them. */
export function createFetcher(): Fetcher {
  let remembered = new Map<SecretSource, ReadonlyMap<ReadKey, FoundValue>>();

  async function fetch(questions: readonly Question[], stop: AbortSignal): Promise<readonly ReadOutcomes[]> {
    const sources = [...new Set(questions.map(({ source }) => source))];
    const answers = await Promise.all(
      sources.map(async (source) => {
        const asked = questions.filter((question) => question.source === source);
        return [source, await fetchFrom(source, asked, remembered.get(source) ?? new Map(), stop)] as const;
      }),
    );
    remembered = new Map(
      answers.map(([source, outcomes]) => [source, pinnedOf(source, questions, outcomes)]),
    );
    const bySource = new Map(answers);
    return questions.map(({ source }) => bySource.get(source) ?? new Map());
  }

  return { fetch };
}

async function fetchFrom(
  source: SecretSource,
  questions: readonly Question[],
  remembered: ReadonlyMap<ReadKey, FoundValue>,
  stop: AbortSignal,
): Promise<ReadOutcomes> {
  const outcomes = new Map<ReadKey, ReadOutcome>(remembered);
  const ask = async (reads: readonly Read[]): Promise<void> => {
    const news = unknownReads(reads, outcomes);
    if (news.length > 0)
      for (const [key, outcome] of await source.read(news, stop)) outcomes.set(key, outcome);
  };
  await ask(
    questions.flatMap(({ plan, bothRegions }) =>
      plan.objects.flatMap(({ primary, failover }) =>
        bothRegions && failover !== undefined ? [primary, failover] : [primary],
      ),
    ),
  );
  await ask(questions.flatMap(({ plan, bothRegions }) => (bothRegions ? [] : failoverReads(plan, outcomes))));
  return outcomes;
}

/** Each read once, without those whose outcome is known. */
function unknownReads(reads: readonly Read[], outcomes: ReadOutcomes): readonly Read[] {
  const news = new Map(reads.map((read) => [read.key, read]));
  return [...news.values()].filter((read) => !outcomes.has(read.key));
}

function pinnedOf(
  source: SecretSource,
  questions: readonly Question[],
  outcomes: ReadOutcomes,
): ReadonlyMap<ReadKey, FoundValue> {
  const pinned = new Map<ReadKey, FoundValue>();
  for (const question of questions) {
    if (question.source !== source) continue;
    for (const { primary, failover } of question.plan.objects) {
      for (const read of [primary, failover]) {
        const outcome = read === undefined ? undefined : outcomes.get(read.key);
        if (read !== undefined && isPinned(read) && outcome?.kind === 'found') pinned.set(read.key, outcome);
      }
    }
  }
  return pinned;
}
