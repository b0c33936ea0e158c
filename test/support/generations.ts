/**
 * Generations in which every file names its generation and shows whether it is complete, so that a reader can detect a torn,
 * a mixed or a missing file.
 *
 * Some files are always there; some come and go; one path is a file in one generation and a directory in the next.
 */

import type { FilePath } from '../../src/core/file-path.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Snapshot } from '../../src/publish/snapshot.ts';

/** Paths that every generation has. Sizes are around one page and around one block of a comparison. */
export const steadyPaths: Readonly<Record<string, number>> = {
  'db-password': 40,
  'certificate.pem': 4096,
  'with space and ünïcode': 5000,
  'nested/one': 300,
  'nested/deeper/two': 70_000,
};

/** Every path of a generation. */
export function pathsOf(generation: number): readonly string[] {
  const third = generation % 3;
  return [
    ...Object.keys(steadyPaths),
    ...(third === 0 ? ['turning'] : third === 1 ? ['turning/inner', 'turning/other'] : []),
    ...(generation % 2 === 0 ? ['sometimes'] : ['nested/sometimes']),
  ];
}

/** The complete value of one path in one generation. */
export function valueIn(generation: number, path: string): string {
  const line = `generation ${generation} of ${path}\n`;
  return line.padEnd(Math.max(line.length, steadyPaths[path] ?? 100), `${generation}.`);
}

/** The generation of a value; throws unless it is one complete value. */
export function generationOf(path: string, value: string): number {
  const generation = Number(/^generation (\d+) of /.exec(value)?.[1] ?? Number.NaN);
  if (Number.isNaN(generation) || value !== valueIn(generation, path)) {
    throw new Error(`torn: ${path} holds ${value.length} characters that are not a complete value`);
  }
  return generation;
}

export function generationSnapshot(generation: number): Snapshot {
  return {
    files: pathsOf(generation).map((path) => ({
      path: path as FilePath,
      mode: 0o644,
      content: new Secret(valueIn(generation, path)),
    })),
  };
}
