/**
 * The set of one config: rendered from the results of a fetch, and as a message without values.
 */

import { removalOfAll } from '../config/accidental-removal.ts';
import type { Plan, PlannedObject } from '../config/plan.ts';
import type { FetchResults } from '../config/secret-ref.ts';
import { problemMessage } from '../core/problem-fields.ts';
import type { Published } from '../publish/publish.ts';
import { type KeptValue, type Rendered, render, type SelectedValue } from '../render/render.ts';
import type { MessageOf } from './report.ts';
import type { ConfigRequest } from './request.ts';
import { type ObjectProblem, selectValues } from './select.ts';

/** A set, and the problems of objects that do not prevent its use. */
export interface RenderedSet {
  readonly rendered: Rendered;
  readonly missing: readonly ObjectProblem[];
  readonly degraded: readonly ObjectProblem[];
}

/** A plan, and what determines whether it may become empty. */
export interface SetPlan {
  readonly plan: Plan;
  /** Whether the plan has been published before. */
  readonly isVerified: boolean;
  readonly publishedFiles: ConfigRequest['publishedFiles'];
  /** Objects that were not fetched, with their files. Default: none. */
  readonly kept?: ReadonlyMap<PlannedObject, KeptValue>;
}

/** Throws the problems of all objects, and the one of an edit that would remove everything. */
export async function renderSet(
  { plan, isVerified, publishedFiles = 0, kept = new Map() }: SetPlan,
  results: FetchResults,
): Promise<RenderedSet> {
  const fetched = plan.objects.filter((object) => !kept.has(object));
  const { values, missing, degraded } = selectValues({ objects: fetched }, results);
  const rendered = await render(
    plan,
    new Map<PlannedObject, SelectedValue | KeptValue>([...values, ...kept]),
  );
  if (!isVerified && publishedFiles > 0 && rendered.facts.length === 0) throw removalOfAll(plan);
  return { rendered, missing, degraded };
}

type Contents = Pick<
  MessageOf<'published'>,
  'files' | 'variables' | 'missing' | 'degraded' | 'variableWarnings'
>;

/** `showsVariables`: whether a command or an environment file gets the variables. */
export function contentsMessage(
  { rendered, missing, degraded }: RenderedSet,
  showsVariables: boolean,
): Contents {
  return {
    files: rendered.facts,
    variables: showsVariables ? rendered.variables.map(withoutValue) : undefined,
    missing: objectMessages(missing),
    degraded: objectMessages(degraded),
    variableWarnings: objectMessages(rendered.variableWarnings),
  };
}

/** The message of a published set. The caller adds Kubernetes Secrets and pinned objects. */
export function publishedMessage(
  config: number,
  set: RenderedSet,
  { change, generation, pending, warning }: Published,
  showsVariables: boolean,
): Omit<MessageOf<'published'>, 'appliesSecrets' | 'pinned'> {
  const { added, updated, removed } = change.kind === 'changed' ? change : NOTHING;
  return {
    kind: 'published',
    config,
    result: change.kind,
    generation,
    warning: warning === undefined ? undefined : problemMessage(warning),
    added,
    updated,
    removed,
    pending,
    count: set.rendered.snapshot.files.length,
    ...contentsMessage(set, showsVariables),
  };
}

const NOTHING = { added: [], updated: [], removed: [] };

type VariableMessage = NonNullable<Contents['variables']>[number];

function withoutValue({ name, object, service, region, version }: VariableMessage): VariableMessage {
  return { name, object, service, region, version };
}

function objectMessages(objects: readonly ObjectProblem[]): Contents['missing'] {
  return objects.map(({ name, problem }) => ({ name, problem: problemMessage(problem) }));
}
