/**
 * The beginning and the end of a condition of named objects, so that each is logged once and not at every sync.
 */

/** Calls back for new and removed names of a list; returns the current names. */
export function transitions<Named extends { readonly name: string }>(
  before: readonly string[],
  now: readonly Named[],
  callbacks: { readonly onBegin: (object: Named) => void; readonly onEnd: (name: string) => void },
): readonly string[] {
  const names = now.map(({ name }) => name);
  for (const object of now) if (!before.includes(object.name)) callbacks.onBegin(object);
  for (const name of before) if (!names.includes(name)) callbacks.onEnd(name);
  return names;
}
