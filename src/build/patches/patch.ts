/**
 * A change to a library's source, made while bundling. The build stops when the text that it changes is gone,
 * so that each is reviewed when the library is updated. What each saves: ../optimizations.ts.
 */

import { readFileSync } from 'node:fs';
import type { Plugin } from 'esbuild';

export interface Patch {
  /** Path of the file below node_modules. */
  readonly file: string;
  /** Text that must occur exactly once, and its replacement. */
  readonly changes: readonly (readonly [find: string, replacement: string])[];
}

/** Applies the patches; fails the build when one does not fit or its file was not part of the bundle. */
export function applyPatches(patches: readonly Patch[]): Plugin {
  return {
    name: 'patches',
    setup(build) {
      const unused = new Set(patches);
      build.onLoad({ filter: /node_modules/ }, ({ path }) => {
        const patch = patches.find(({ file }) => path.endsWith(`/node_modules/${file}`));
        if (patch === undefined) return undefined;
        unused.delete(patch);
        return { contents: applyPatch(patch, readFileSync(path, 'utf8')), loader: 'js' };
      });
      build.onEnd(() => ({
        errors: [...unused].map(({ file }) => ({
          text: `the patch of ${file} was not applied, because the bundle does not contain the file: drop or move it`,
        })),
      }));
    },
  };
}

function applyPatch({ file, changes }: Patch, source: string): string {
  return changes.reduce((text, [find, replacement]) => {
    const [before, after, ...more] = text.split(find);
    if (before === undefined || after === undefined || more.length > 0) {
      throw new Error(`the patch of ${file} does not fit: expected the following text exactly once: ${find}`);
    }
    return before + replacement + after;
  }, source);
}
