/**
 * Fetches and renders everything for the command; `publish` then publishes the files of configs that have a directory.
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
import type { Snapshot } from '../publish/snapshot.ts';
import { type Rendered, render } from '../render/render.ts';
import { logPublish } from '../sidecar/publish-log.ts';
import { selectValues } from '../worker/select.ts';
import type { CommandEnvironment, SecretVariable } from './environment.ts';

/** A config, and the directory it publishes to; undefined: only its variables are used. */
export interface ExecTarget {
  readonly plan: Plan;
  readonly source: SecretSource;
  readonly directory:
    | (Pick<Directory, 'publish'> & Pick<HeldDirectory, 'path' | 'removeReplaced'>)
    | undefined;
}

/** What to fetch, and where to log. */
export interface FetchOptions {
  readonly targets: readonly ExecTarget[];
  /** The environment of the command with these variables; throws Problems. */
  readonly environmentOf: (variables: readonly SecretVariable[]) => CommandEnvironment;
  readonly clock: Clock;
  readonly log: Log;
}

/** A complete set, of which nothing is published yet. */
export interface FetchedSet {
  readonly environment: CommandEnvironment;
  /** The variables from secrets. */
  readonly variables: readonly SecretVariable[];
  /** The files of each directory. */
  readonly snapshots: readonly Snapshot[];
  /** Publishes the files. Rejects with a Problem of stage `publish`. */
  publish(): Promise<PublishedFiles>;
}

/** The result of a publish to all directories. */
export interface PublishedFiles {
  readonly count: number;
  /** Whether a file differs from what was there. */
  readonly changed: boolean;
}

/** One attempt. Throws the problems of all targets; rejects with the reason of `stop`. */
export async function fetchSet(
  { targets, environmentOf, clock, log }: FetchOptions,
  stop: AbortSignal,
): Promise<FetchedSet> {
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
  const published = rendered.flatMap(([{ plan, directory }, found]) =>
    directory === undefined ? [] : [{ plan, directory, found }],
  );
  return {
    environment,
    variables,
    snapshots: published.map(({ found }) => found.snapshot),
    async publish() {
      const result = { count: 0, changed: false };
      for (const { plan, directory, found } of published) {
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
        result.count += count;
        result.changed ||= change.kind === 'changed';
      }
      return result;
    },
  };
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
