/**
 * Bundles the sources and their packages into a few CommonJS modules: one for the start, and one for each part that only some
 * commands or configs need.
 *
 * CommonJS, because an ES module that imports `node:http` makes Node evaluate every export of it, which loads 69 more of
 * its own modules (4.0 instead of 2.5 times the start of Node for a program without any package). Several modules, because
 * an unused module then costs neither time nor memory: neither its source nor its compiled code is read.
 */

import { basename } from 'node:path';
import { build, type Metafile, type Plugin, transform } from 'esbuild';
import { lazyBuiltins } from './lazy-builtins.ts';
import type { Optimization } from './optimizations.ts';
import { applyPatches, crc32 } from './patches.ts';

export interface Bundle {
  /** Source texts by name, such as `main.js`, where the program starts. They require each other as `./name`. */
  readonly modules: ReadonlyMap<string, string>;
  /** Which file contributed how many bytes to which module. */
  readonly meta: Metafile;
}

export interface BundleOptions {
  /** Optimizations to leave out. */
  readonly without?: ReadonlySet<Optimization>;
  /** Plugins of the caller, which come first. */
  readonly plugins?: readonly Plugin[];
}

/** Bundles the program that starts at `entry`, a file called main.ts. */
export async function bundle(entry: string, options: BundleOptions = {}): Promise<Bundle> {
  const { without = new Set(), plugins = [] } = options;
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    splitting: !without.has('splitting'),
    // Only ES modules can be split; each is converted to CommonJS below.
    format: 'esm',
    write: false,
    metafile: true,
    outdir: 'bundle',
    platform: 'node',
    target: 'node26',
    minify: true,
    // esbuild can drop unused parts of a package's ES sources; `main`, its default for Node, is CommonJS, where it cannot.
    mainFields: ['module', 'main'],
    conditions: ['module'],
    // Some packages read their own location; a single file has none.
    define: { 'import.meta.url': '"file:///podsecrets"' },
    plugins: [
      ...plugins,
      ...(without.has('lazy-builtins') ? [] : [lazyBuiltins]),
      applyPatches(without.has('crc32') ? [] : [crc32]),
    ],
    legalComments: 'none',
    logLevel: 'error',
  });
  const modules = new Map<string, string>();
  for (const { path, text } of result.outputFiles) {
    modules.set(basename(path), await toCommonJs(text, isCommonJs(basename(path), result.metafile)));
  }
  return { modules, meta: result.metafile };
}

/** Whether this module is a CommonJS file of a package that is imported dynamically. */
function isCommonJs(name: string, meta: Metafile): boolean {
  const entry = meta.outputs[`bundle/${name}`]?.entryPoint;
  return entry !== undefined && meta.inputs[entry]?.format === 'cjs';
}

async function toCommonJs(text: string, wasCommonJs: boolean): Promise<string> {
  const { code } = await transform(text, {
    format: 'cjs',
    platform: 'node',
    target: 'node26',
    minify: true,
    supported: { 'dynamic-import': false },
    // The launcher decodes sources as latin1.
    charset: 'ascii',
    legalComments: 'none',
  });
  // esbuild exports a CommonJS file as the default export.
  const exported = wasCommonJs ? 'module.exports = module.exports.default;' : '';
  return `(function (require, module, exports) {${code}\n${exported}})`;
}
