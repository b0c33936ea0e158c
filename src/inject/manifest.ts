/**
 * Kubernetes objects as plain data: changed without copying unchanged parts, and compared as JSON; and the Problem of one.
 *
 * `core/unknown.ts` reads them. The API server validates manifests, so a shape that podsecrets does not need is never
 * reported here.
 */

import { Problem } from '../core/problem.ts';
import { asObject, isObject } from '../core/unknown.ts';

/** A YAML mapping. */
export type KubeObject = Readonly<Record<string, unknown>>;

/** The mapping with the value at the end of the path replaced; everything else is shared, not copied. */
export function withValueAt(value: KubeObject, path: readonly string[], next: unknown): KubeObject {
  const [key, ...rest] = path;
  if (key === undefined) return asObject(next);
  return { ...value, [key]: rest.length === 0 ? next : withValueAt(asObject(value[key]), rest, next) };
}

/** Equal as JSON: the order of keys is ignored, and a missing key equals `undefined`. */
export function isSame(left: unknown, right: unknown): boolean {
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => isSame(item, right[index]));
  }
  if (isObject(left) && isObject(right)) {
    return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((key) =>
      isSame(left[key], right[key]),
    );
  }
  return Object.is(left, right);
}

/** A manifest that cannot work, or probably not as intended. */
export function manifestProblem(subject: string, message: string, remedy: string): Problem {
  return new Problem({ code: 'kubernetes.content', subject, message, remedy });
}
