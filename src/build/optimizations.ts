/** What the build does for a faster start and less memory, beyond bundling. */
export const OPTIMIZATIONS = [
  'code-cache',
  'splitting',
  'chunks',
  'lazy-builtins',
  'crc32',
  'web-crypto',
  'trim-icu',
  'disable-jit',
] as const;

export type Optimization = (typeof OPTIMIZATIONS)[number];

/** Reads the list of PODSECRETS_BUILD_WITHOUT, separated by commas; throws for an unknown name. */
export function parseWithout(list: string | undefined): ReadonlySet<Optimization> {
  const names = (list ?? '').split(',').filter((name) => name !== '');
  return new Set(
    names.map((name) => {
      const found = OPTIMIZATIONS.find((known) => known === name);
      if (found === undefined)
        throw new Error(`PODSECRETS_BUILD_WITHOUT: expected one of ${OPTIMIZATIONS.join(', ')}, got ${name}`);
      return found;
    }),
  );
}
