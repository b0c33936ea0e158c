/**
 * A change to a library's source, made while bundling. Each is a debt: it says what it saves, and the build stops when the
 * text it changes is no longer there, so that it is looked at again whenever the library moves.
 */

import { readFileSync } from 'node:fs';
import type { Plugin } from 'esbuild';

export interface Patch {
  /** Path of the file below node_modules. */
  readonly file: string;
  /** What it saves, with the figure. */
  readonly saves: string;
  /** Text that must occur exactly once, and what takes its place. */
  readonly changes: readonly (readonly [find: string, replacement: string])[];
}

/** Applies the patches; fails the build when one does not fit or its file was not part of the bundle. */
export function applying(patches: readonly Patch[]): Plugin {
  return {
    name: 'patches',
    setup(build) {
      const left = new Set(patches);
      build.onLoad({ filter: /node_modules/ }, ({ path }) => {
        const patch = patches.find(({ file }) => path.endsWith(`/node_modules/${file}`));
        if (patch === undefined) return undefined;
        left.delete(patch);
        return { contents: patched(patch, readFileSync(path, 'utf8')), loader: 'js' };
      });
      build.onEnd(() => ({
        errors: [...left].map(({ file }) => ({
          text: `the patch of ${file} found nothing to do: drop it or move it`,
        })),
      }));
    },
  };
}

function patched({ file, changes }: Patch, source: string): string {
  return changes.reduce((text, [find, replacement]) => {
    const [before, after, ...more] = text.split(find);
    if (before === undefined || after === undefined || more.length > 0) {
      throw new Error(`the patch of ${file} expected exactly once, but not so found: ${find}`);
    }
    return before + replacement + after;
  }, source);
}
