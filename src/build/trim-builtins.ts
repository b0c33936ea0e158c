/**
 * Removes modules from a Node executable that the program cannot use, or never uses.
 *
 * Spaces replace their sources, so that no offset changes: Node compiles a module when it is first used.
 */

/** What Node compiles for a file in TypeScript: 3.8 MB of WebAssembly in base64, which hardly compresses. */
const TYPESCRIPT = 'internal/deps/amaro/dist/index';

/** The modules whose sources are removed: also what is behind `fetch`, and QUIC. */
const UNUSED: readonly string[] = [TYPESCRIPT, 'internal/deps/undici/undici', 'internal/quic/quic'];

/** The sources of Node's own modules by name. The executable contains each as it is, one byte per character. */
export type BuiltinSources = Readonly<Record<string, string>>;

/** The sources of the Node that runs the build. */
export function builtinSources(): BuiltinSources {
  // Deprecated, and the only access without a flag.
  const { binding } = process as unknown as { readonly binding: (name: 'natives') => BuiltinSources };
  return binding('natives');
}

/** The same executable without the unused sources. Throws if it does not contain each exactly once. */
export function trimBuiltins(executable: Buffer, sources: BuiltinSources): Buffer {
  const trimmed = Buffer.from(executable);
  for (const name of UNUSED) {
    const { begin, end } = sourceIn(executable, sources, name);
    trimmed.fill(' ', begin, end);
  }
  return trimmed;
}

/** The offsets of the largest unused source in the executable; throws like `trimBuiltins`. */
export function unusedPart(executable: Buffer, sources: BuiltinSources): { begin: number; end: number } {
  return sourceIn(executable, sources, TYPESCRIPT);
}

function sourceIn(executable: Buffer, sources: BuiltinSources, name: string): { begin: number; end: number } {
  const source = Buffer.from(sources[name] ?? '', 'latin1');
  const begin = source.length === 0 ? -1 : executable.indexOf(source);
  if (begin < 0 || executable.indexOf(source, begin + 1) >= 0)
    throw new Error(`expected one source of ${name} in this Node`);
  return { begin, end: begin + source.length };
}
