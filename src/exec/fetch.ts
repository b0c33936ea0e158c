/**
 * Fetches and renders everything for the command, and publishes the files of configs that have a directory.
 *
 * Nothing is published unless every config rendered and the environment of the command is complete.
 */

import { fetchValues, type SecretSource } from '../aws/fetcher.ts';
import type { Plan } from '../config/plan.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { distinct, Problem, problemsOrThrow, throwProblems } from '../core/problem.ts';
import type { Directory } from '../publish/directory.ts';
import type { HeldDirectory } from '../publish/held-directory.ts';
import { type Rendered, render } from '../render/render.ts';
import { logPublish } from '../sidecar/publish-log.ts';
import { selectValues } from '../worker/select.ts';
import type { CommandEnvironment, SecretVariable } from './environment.ts';

/** A config, and the directory it publishes to; undefined: only its variables are used. */
export interface ExecTarget {
  readonly plan: Plan;
  readonly source: SecretSource;
  readonly directory: (Directory & Pick<HeldDirectory, 'path' | 'removeReplaced'>) | undefined;
}

/** What to fetch, and where to log. */
export interface FetchOptions {
  readonly targets: readonly ExecTarget[];
  /** The environment of the command with these variables; throws Problems. */
  readonly environmentOf: (variables: readonly SecretVariable[]) => CommandEnvironment;
  readonly clock: Clock;
  readonly log: Log;
}

/** The result of a fetch. */
export interface FetchedEnvironment {
  readonly environment: CommandEnvironment;
  /** The number of variables from secrets. */
  readonly variables: number;
  /** The number of published files. */
  readonly files: number;
}

/** One attempt. Throws the problems of all targets; rejects with the reason of `stop`. */
export async function fetchEnvironment(
  { targets, environmentOf, clock, log }: FetchOptions,
  stop: AbortSignal,
): Promise<FetchedEnvironment> {
  const startedAt = clock.elapsed();
  const requests = targets.map(({ plan, source }) => ({ plan, source, bothRegions: true }));
  const results = await fetchValues(requests, stop);
  const rendered: (readonly [ExecTarget, Rendered])[] = [];
  const problems: Problem[] = [];
  for (const [index, target] of targets.entries()) {
    const { plan } = target;
    try {
      const { values, missing, degraded } = selectValues(plan, results[index] ?? new Map());
      for (const { problem } of missing) log.problem('object.missing', problem, { config: plan.file });
      for (const { problem } of degraded) log.problem('region.failing', problem, { config: plan.file });
      rendered.push([target, await render(plan, values)]);
    } catch (error) {
      problems.push(...problemsOrThrow(error));
    }
  }
  throwProblems(distinct(problems));
  const variables = rendered.flatMap(([target, { variables }]) =>
    variables.map((variable) => ({ ...variable, config: target.plan.file })),
  );
  throwProblems(repeatedNames(variables));
  const environment = environmentOf(variables);
  let files = 0;
  for (const [{ plan, directory }, found] of rendered) {
    if (directory === undefined) continue;
    const { change, warning } = await directory.publish(found.snapshot, { announce: 'never' });
    await directory.removeReplaced();
    for (const { problem } of found.variableWarnings)
      log.problem('config.warning', problem, { config: plan.file });
    if (warning !== undefined) log.problem('publish.warning', warning, { config: plan.file });
    const count = found.snapshot.files.length;
    const { added, updated, removed } = change.kind === 'changed' ? change : NO_CHANGE;
    logPublish(
      log,
      { file: plan.file, directory: directory.path },
      {
        result: change.kind,
        added,
        updated,
        removed,
        count,
        variables: plan.envFile === undefined ? undefined : found.variables,
      },
      true,
      clock.elapsed() - startedAt,
    );
    files += count;
  }
  return { environment, variables: variables.length, files };
}

const NO_CHANGE = { added: [], updated: [], removed: [] };

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
