/**
 * The value of each object of a plan, from the results of a fetch.
 */

import { selectRegion } from '../aws/failover.ts';
import type { Plan, PlannedObject } from '../config/plan.ts';
import type { FetchResults } from '../config/secret-ref.ts';
import { distinct, type Problem, throwProblems } from '../core/problem.ts';
import type { SelectedValue } from '../render/render.ts';

/** An object and its problem. */
export interface ObjectProblem {
  readonly name: string;
  readonly problem: Problem;
}

/** The values, and the problems of objects that do not prevent a publish. */
interface SelectedValues {
  readonly values: ReadonlyMap<PlannedObject, SelectedValue>;
  /** Optional objects that do not exist. */
  readonly missing: readonly ObjectProblem[];
  /** Objects that one of their two regions does not return. */
  readonly degraded: readonly ObjectProblem[];
}

/** The value of each object. Throws the problems of all objects without one. */
export function selectValues({ objects }: Pick<Plan, 'objects'>, results: FetchResults): SelectedValues {
  const values = new Map<PlannedObject, SelectedValue>();
  const missing: ObjectProblem[] = [];
  const degraded: ObjectProblem[] = [];
  const failures: Problem[] = [];
  for (const object of objects) {
    const selection = selectRegion(object, results);
    switch (selection.kind) {
      case 'value':
        values.set(object, {
          value: selection.value.value,
          version: selection.value.version,
          region: selection.region,
        });
        if (selection.degraded !== undefined)
          degraded.push({ name: object.name, problem: selection.degraded });
        break;
      case 'missing':
        missing.push({ name: object.name, problem: selection.problem });
        break;
      case 'failed':
        failures.push(...selection.problems);
        break;
      default:
        selection satisfies never;
    }
  }
  throwProblems(distinct(failures));
  return { values, missing, degraded };
}
