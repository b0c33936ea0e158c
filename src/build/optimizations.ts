/**
 * The optimizations of the build for a faster start and less memory, with the saving of each and the check that fails when it stops
 * working.
 *
 * The figures are those of `init` as production runs it: TLS 1.3 with a private authority and a host name, Pod Identity over
 * plain HTTP, Node 26.12, medians of 21 rounds in which every build started once. `×` is the start of `node -e 0`; a start
 * with all of them is 2.8 × for one secret and 4.9 × for 20 secrets and 20 parameters. `npm run bench:optimizations` measures
 * them again. An entry that saves neither 0.1 × nor 1 MiB nor 1 MB of the image is removed.
 *
 * `PODSECRETS_BUILD_WITHOUT=code-cache,crc32 npm run build` leaves some out.
 */

interface Entry {
  readonly does: string;
  readonly saves: string;
  /** The check that fails when it no longer works. */
  readonly guard: string;
}

export const optimizations = {
  'code-cache': {
    does: 'runs the program while building and stores the compiled code of every function that ran',
    saves: '1.9 ×',
    guard: 'the build, when V8 rejects stored code',
  },
  chunks: {
    does: 'makes one script of the modules that are always needed together',
    saves: '1 MiB of the peak',
    guard: 'test/build/chunks.test.ts',
  },
  splitting: {
    does: 'bundles parts that only some commands or configs need into separate modules',
    saves: '0.2 × for one secret, 0.6 × for 40 objects; 5 to 7 MiB of the peak',
    guard: 'test/budget/modules.test.ts',
  },
  'builtin-code': {
    does: "stores the compiled code of all functions of Node's own modules that a sync uses (x86-64)",
    saves: '0.3 ×',
    guard:
      'the build, when V8 rejects stored code or the executable has another layout; test/build/builtin-code.test.ts',
  },
  'disable-jit': {
    does: 'disables the optimizing compilers of V8, for functions and for regular expressions',
    saves: '0.2 × for one secret, 1 × for 40 objects; 4 to 11 MiB of the peak',
    guard: 'test/build/builtin-code.test.ts; Node, which rejects unknown flags',
  },
  'own-authorities': {
    does: 'keeps Node from parsing the certificate authorities that it contains',
    saves: '0.1 ×, 0.8 MiB of the peak',
    guard:
      'test/build/own-authorities.test.ts, test/process/trusted-authorities.test.ts; Node, which rejects unknown flags',
  },
  crc32: {
    does: 'removes a native checksum from the SDK, for which Node loads zlib',
    saves: '1 MiB of the peak',
    guard: 'the build, when the patch does not fit; test/budget/modules.test.ts',
  },
  'lazy-builtins': {
    does: "loads Node's own modules when they are first used, not when a file imports them",
    saves: '1 MiB of the peak for one secret',
    guard: 'the build, for a module that cannot be deferred; test/budget/modules.test.ts',
  },
  'trim-icu': {
    does: 'removes the locales that nothing uses from ICU',
    saves: '12 MB of the compressed image',
    guard: 'the build, when ICU data has another format; test/build/trim-icu.test.ts',
  },
  'lock-checks': {
    does: "disables the deadlock detection of Abseil in Node's executable",
    saves: '1 MiB in each process',
    guard: 'the build, when the variable is missing or has another value; test/build/lock-checks.test.ts',
  },
  'trim-builtins': {
    does: "removes Node's TypeScript compiler, which a built program cannot use, and modules that it never uses",
    saves: '1.6 MB of the compressed image',
    guard: 'the build, when Node does not contain a source; test/build/trim-builtins.test.ts',
  },
} as const satisfies Record<string, Entry>;

export type Optimization = keyof typeof optimizations;

export const optimizationNames = Object.keys(optimizations) as readonly Optimization[];

/** Reads names separated by commas, as in PODSECRETS_BUILD_WITHOUT; throws for an unknown one. */
export function readOptimizations(list: string): ReadonlySet<Optimization> {
  const names = list.split(',').filter((name) => name !== '');
  const known = (name: string): name is Optimization => Object.hasOwn(optimizations, name);
  const unknown = names.find((name) => !known(name));
  if (unknown !== undefined)
    throw new Error(`expected some of ${optimizationNames.join(', ')}, got ${unknown}`);
  return new Set(names.filter(known));
}
