/** Calls `make` when its result is first needed, and not again; a promise that rejects stays rejected. */
export function once<T>(make: () => T): () => T {
  let made: { readonly result: T } | undefined;
  return () => {
    made ??= { result: make() };
    return made.result;
  };
}
