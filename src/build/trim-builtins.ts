/**
 * Removes the TypeScript compiler from a Node executable: 3.8 MB of WebAssembly in base64, which hardly compresses.
 *
 * Spaces replace its source, so that no offset changes: Node compiles it only for a file in TypeScript, and the program has none.
 */

/** The module of Node whose source is removed. */
const UNUSED = 'internal/deps/amaro/dist/index';

/** The sources of Node's own modules by name. The executable contains each as it is, one byte per character. */
export type BuiltinSources = Readonly<Record<string, string>>;

/** The sources of the Node that runs the build. */
export function builtinSources(): BuiltinSources {
  // Deprecated, and the only access without a flag.
  const { binding } = process as unknown as { readonly binding: (name: 'natives') => BuiltinSources };
  return binding('natives');
}

/** The same executable without the unused source. Throws if it does not contain it exactly once. */
export function trimBuiltins(executable: Buffer, sources: BuiltinSources): Buffer {
  const trimmed = Buffer.from(executable);
  const { begin, end } = unusedPart(executable, sources);
  return trimmed.fill(' ', begin, end);
}

/** The offsets of the unused source in the executable; throws like `trimBuiltins`. */
export function unusedPart(executable: Buffer, sources: BuiltinSources): { begin: number; end: number } {
  const source = Buffer.from(sources[UNUSED] ?? '', 'latin1');
  const begin = source.length === 0 ? -1 : executable.indexOf(source);
  if (begin < 0 || executable.indexOf(source, begin + 1) >= 0)
    throw new Error(`expected one source of ${UNUSED} in this Node`);
  return { begin, end: begin + source.length };
}
