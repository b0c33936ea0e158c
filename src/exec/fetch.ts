/**
 * Fetches and renders everything for the command, and publishes the files of configs that have a directory.
 *
 * Nothing is published unless every config rendered and the environment of the command is complete.
 */

import type { Fetcher } from '../aws/fetcher.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { distinct, Problem, problemsOrThrow, throwProblems } from '../core/problem.ts';
import type { Phase } from '../sidecar/backoff.ts';
import { logPublish } from '../sidecar/sync.ts';
import type { SyncTarget } from '../sidecar/target.ts';
import type { CommandEnvironment, SecretVariable } from './environment.ts';

/** What to fetch, and where to log. */
export interface FetchOptions {
  readonly targets: readonly SyncTarget[];
  readonly fetcher: Fetcher;
  /** The environment of the command with these variables; throws Problems. */
  readonly environmentOf: (variables: readonly SecretVariable[]) => CommandEnvironment;
  readonly clock: Clock;
  readonly log: Log;
}

/** What was fetched. */
export interface FetchedEnvironment {
  readonly environment: CommandEnvironment;
  /** How many variables come from secrets. */
  readonly variables: number;
  /** How many files were published. */
  readonly files: number;
}

/** One attempt. Throws the problems of all targets; rejects with the reason of `stop`. */
export async function fetchEnvironment(
  { targets, fetcher, environmentOf, clock, log }: FetchOptions,
  phase: Phase,
  stop: AbortSignal,
): Promise<FetchedEnvironment> {
  const startedAt = clock.elapsed();
  const requests = targets.map((target) => target.fetchRequest(phase));
  const results = await fetcher.fetch(requests, stop);
  const rendered: (readonly [SyncTarget, Awaited<ReturnType<SyncTarget['renderFiles']>>])[] = [];
  const problems: Problem[] = [];
  for (const [index, target] of targets.entries()) {
    try {
      rendered.push([target, await target.renderFiles(results[index] ?? new Map())]);
    } catch (error) {
      problems.push(...problemsOrThrow(error));
    }
  }
  throwProblems(distinct(problems));
  const variables = rendered.flatMap(([target, { variables }]) =>
    variables.map((variable) => ({ ...variable, config: target.plan().file })),
  );
  throwProblems(repeatedNames(variables));
  const environment = environmentOf(variables);
  let files = 0;
  for (const [target, found] of rendered) {
    const published = await target.publish(found);
    await target.removeReplaced();
    if (target.directory === '') continue;
    const count = found.snapshot.files.length;
    logPublish(log, target, published, count, clock.elapsed() - startedAt);
    files += count;
  }
  return { environment, variables: variables.length, files };
}

/** Within one config the names are unique already. */
function repeatedNames(
  variables: readonly { readonly name: string; readonly config: string }[],
): readonly Problem[] {
  const owners = new Map<string, string>();
  return variables.flatMap(({ name, config }) => {
    const owner = owners.get(name);
    owners.set(name, owner ?? config);
    if (owner === undefined) return [];
    return new Problem({
      code: 'config.object',
      subject: `variable ${name}`,
      message: `expected each variable in one config, got it in ${owner} and in ${config}`,
      remedy: 'Rename one of the two, or remove it.',
    });
  });
}
