/**
 * Runs a target with changed inputs of its saved corpus.
 *
 * Outcomes guide it: an input with an outcome that no other input had is changed further. Coverage would not guide it better
 * (CONTRIBUTING, "Tests"). Each execution is a function of the seed and its number, in one lane.
 */

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawFrom, mutate } from './mutate.ts';

/** Code that must accept any input. An input is a string of bytes (latin1). */
export interface Target {
  /** The name of the folder with its corpus. */
  readonly name: string;
  /** Parts of inputs that random bytes would not give. */
  readonly dictionary: readonly string[];
  /** Inputs in addition to the saved ones. */
  readonly more?: readonly string[];
  /** The number of concurrent executions; more than 1 if an execution waits. */
  readonly lanes?: number;
  /** Executes one input. Returns the outcome in a few words; throws if it is a fault. */
  execute(input: string): Promise<string>;
  close?(): Promise<void>;
}

export interface Finding {
  readonly input: string;
  readonly error: unknown;
}

export interface FuzzResult {
  readonly executions: number;
  /** Inputs by the first time that their outcome was seen. */
  readonly outcomes: ReadonlyMap<string, string>;
  readonly finding: Finding | undefined;
}

export interface FuzzOptions {
  readonly seed: number;
  readonly executions: number;
}

/** The saved inputs of a target, then `more`. */
export function corpusOf({ name, more = [] }: Target): readonly string[] {
  const folder = join(import.meta.dirname, 'corpus', name);
  const saved = globSync('*', { cwd: folder }).sort();
  return [...saved.map((file) => readFileSync(join(folder, file), 'latin1')), ...more];
}

/** UTF-8 text as a string of bytes, and back. */
export const toBytes = (text: string): string => Buffer.from(text).toString('latin1');
export const toText = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8');

/** Executes the corpus, then changed inputs, until the first fault. */
export async function fuzz(target: Target, { seed, executions }: FuzzOptions): Promise<FuzzResult> {
  const { lanes = 1 } = target;
  const corpus = [...corpusOf(target)];
  const saved = corpus.length;
  const outcomes = new Map<string, string>();
  let started = 0;
  let finding: Finding | undefined;

  const lane = async (): Promise<void> => {
    while (finding === undefined && started < executions) {
      const number = started++;
      const draw = drawFrom(seed + number * 7919);
      // Every second input comes from a saved one: most of the others are invalid, and lead only to further problems.
      const size = number % 2 === 0 ? saved : corpus.length;
      const input =
        number < saved
          ? (corpus[number] as string)
          : mutate(corpus[draw.below(size)] as string, draw, target.dictionary, corpus);
      try {
        const outcome = await target.execute(input);
        if (outcomes.has(outcome)) continue;
        outcomes.set(outcome, input);
        if (number >= saved && corpus.length < saved + 1000) corpus.push(input);
      } catch (error) {
        finding ??= { input, error };
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return { executions: started, outcomes, finding };
}
