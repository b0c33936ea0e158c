/**
 * Kubernetes objects as plain data, read without trust.
 *
 * A manifest may hold anything anywhere; whoever reads one asks here for what should stand there and gets nothing when it
 * does not. The API server is the judge of manifests, so a shape nobody here needs is never complained about.
 */

/** A YAML mapping. */
export type KubeObject = Readonly<Record<string, unknown>>;

/** Neither a list nor a scalar. */
export function isObject(value: unknown): value is KubeObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The mapping that stands there, or an empty one. */
export function asObject(value: unknown): KubeObject {
  return isObject(value) ? value : {};
}

/** The mappings of the list that stands there; none when there is no list. */
export function asObjects(value: unknown): readonly KubeObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The text that stands there, if it is one. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** What stands at the end of a path of keys, if anything does. */
export function valueAt(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => (isObject(inner) ? inner[key] : undefined), value);
}

/** The mapping with the value at the end of the path replaced; everything else is shared, not copied. */
export function withValueAt(value: KubeObject, path: readonly string[], next: unknown): KubeObject {
  const [key, ...rest] = path;
  if (key === undefined) return asObject(next);
  return { ...value, [key]: rest.length === 0 ? next : withValueAt(asObject(value[key]), rest, next) };
}

/** Equal as JSON is: the order of keys says nothing, an absent key and `undefined` are the same. */
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
