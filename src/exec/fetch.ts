/**
 * Fetches and renders everything for the command; `publish` then publishes the files of configs that have a directory.
 *
 * Nothing is published unless every config rendered and the environment of the command is complete.
 */

import { fetchValues, type SecretSource } from '../aws/fetcher.ts';
import { distinct, Problem, problemsOrThrow, throwProblems } from '../core/problem.ts';
import type { Directory } from '../publish/directory.ts';
import type { Published } from '../publish/publish.ts';
import type { Snapshot } from '../publish/snapshot.ts';
import { type RenderedSet, renderSet, type SetPlan } from '../worker/rendered-set.ts';
import type { CommandEnvironment, SecretVariable } from './environment.ts';

/** A config, and the directory it publishes to; undefined: only its variables are used. */
export interface ExecTarget extends SetPlan {
  readonly source: SecretSource;
  readonly directory: Pick<Directory, 'publish'> | undefined;
}

/** What to fetch. The functions get the index of a target. */
export interface FetchOptions {
  readonly targets: readonly ExecTarget[];
  /** Whether the failover region is fetched too for plans that were published once. */
  readonly bothRegions: boolean;
  /** The environment of the command with these variables; throws Problems. */
  readonly environmentOf: (variables: readonly SecretVariable[]) => CommandEnvironment;
  readonly onRender?: (index: number) => void;
  readonly onFailure?: (index: number, problems: readonly Problem[]) => void;
}

/** A complete set, of which nothing is published yet. */
export interface FetchedSet {
  readonly environment: CommandEnvironment;
  /** The variables from secrets. */
  readonly variables: readonly SecretVariable[];
  /** The set of each target. */
  readonly sets: readonly RenderedSet[];
  /** The files of each directory. */
  readonly snapshots: readonly Snapshot[];
  /** Publishes the files, and calls back for each target that has a directory. Rejects with a Problem of stage `publish`. */
  publish(onPublished: (index: number, published: Published) => void): Promise<PublishedFiles>;
}

/** The result of a publish to all directories. */
export interface PublishedFiles {
  readonly count: number;
  /** Whether a file differs from what was there. */
  readonly changed: boolean;
}

/** One attempt. Throws the problems of all targets; rejects with the reason of `stop`. */
export async function fetchSet(
  { targets, bothRegions, environmentOf, onRender, onFailure }: FetchOptions,
  stop: AbortSignal,
): Promise<FetchedSet> {
  const requests = targets.map(({ plan, source, isVerified }) => ({
    plan,
    source,
    bothRegions: bothRegions || !isVerified,
  }));
  const results = await fetchValues(requests, stop);
  const sets: RenderedSet[] = [];
  const problems: Problem[] = [];
  for (const [index, target] of targets.entries()) {
    try {
      onRender?.(index);
      sets.push(await renderSet(target, results[index] ?? new Map()));
    } catch (error) {
      const found = problemsOrThrow(error);
      onFailure?.(index, found);
      problems.push(...found);
    }
  }
  throwProblems(distinct(problems));
  const variables = sets.flatMap(({ rendered }, index) =>
    rendered.variables.map((variable) => ({ ...variable, config: targets[index]?.plan.file ?? '' })),
  );
  throwProblems(repeatedNames(variables));
  const environment = environmentOf(variables);
  const published = sets.flatMap(({ rendered: { snapshot } }, index) => {
    const directory = targets[index]?.directory;
    return directory === undefined ? [] : [{ index, directory, snapshot }];
  });
  return {
    environment,
    variables,
    sets,
    snapshots: published.map(({ snapshot }) => snapshot),
    async publish(onPublished) {
      const result = { count: 0, changed: false };
      for (const { index, directory, snapshot } of published) {
        const found = await directory.publish(snapshot, { announce: 'never' });
        onPublished(index, found);
        result.count += snapshot.files.length;
        result.changed ||= found.change.kind === 'changed';
      }
      return result;
    },
  };
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
