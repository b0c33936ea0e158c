/**
 * Changes to the source of libraries, applied while bundling. The build fails if the text to change is missing, so that each patch is
 * reviewed when its library is updated. optimizations.ts has the saving of each.
 */

import { readFileSync } from 'node:fs';
import type { Plugin } from 'esbuild';

interface Patch {
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

/**
 * The SDK's CRC-32 module loads zlib to look for a native implementation. No request of podsecrets contains such a checksum, so the
 * patch leaves only the implementation in JavaScript, which esbuild drops because it is unused.
 */
export const crc32: Patch = {
  file: '@smithy/core/dist-es/submodules/checksum/crc32/Crc32Node.js',
  changes: [
    ['import * as zlib from "node:zlib";', ''],
    ['const zlibCrc32 = typeof zlib.crc32 === "function" ? zlib.crc32 : undefined;', ''],
    ['zlibCrc32 ? buildNativeClass(zlibCrc32) : Crc32Js', 'Crc32Js'],
  ],
};
