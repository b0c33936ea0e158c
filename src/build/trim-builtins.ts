/**
 * Removes the TypeScript compiler from a Node executable: 3.8 MB of WebAssembly in base64, which hardly compresses.
 *
 * Spaces replace its source, so that no offset changes: Node compiles it only for a file in TypeScript, and the program has none.
 */

/** Node's own modules whose source is removed. */
const UNUSED: readonly string[] = ['internal/deps/amaro/dist/index'];

/** The sources of Node's own modules by name. The executable contains each as it is, one byte per character. */
export type BuiltinSources = Readonly<Record<string, string>>;

/** The sources of the Node that runs the build. */
export function builtinSources(): BuiltinSources {
  // Deprecated, and the only access without a flag.
  const { binding } = process as unknown as { readonly binding: (name: 'natives') => BuiltinSources };
  return binding('natives');
}

/** The same executable without the unused sources. Throws if it does not contain each of them exactly once. */
export function trimBuiltins(executable: Buffer, sources: BuiltinSources): Buffer {
  const trimmed = Buffer.from(executable);
  for (const name of UNUSED) {
    const source = Buffer.from(sources[name] ?? '', 'latin1');
    const offset = source.length === 0 ? -1 : executable.indexOf(source);
    if (offset < 0 || executable.indexOf(source, offset + 1) >= 0)
      throw new Error(`expected one source of ${name} in this Node`);
    trimmed.fill(' ', offset, offset + source.length);
  }
  return trimmed;
}
