/**
 * The sources and their packages as one CommonJS text.
 *
 * CommonJS, because an ES module that imports `node:http` makes Node evaluate every export of it, which loads 69 more of
 * its own modules (4.0 instead of 2.5 times the start of Node for a program without any package). `import()` becomes a
 * deferred `require` inside the text: what a command does not need is neither evaluated nor compiled.
 */

import { build, type Metafile } from 'esbuild';

/** Bundles the program that starts at `entry`; `meta` tells which file contributed how many bytes. */
export async function bundle(entry: string): Promise<{ readonly code: string; readonly meta: Metafile }> {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    outfile: 'podsecrets.cjs',
    platform: 'node',
    target: 'node26',
    format: 'cjs',
    minify: true,
    // Names of classes are shown to people: in errors, and in the SDK's own checks.
    keepNames: false,
    // The ES sources of a package can be shaken; `main`, esbuild's default for Node, is CommonJS and cannot.
    mainFields: ['module', 'main'],
    conditions: ['module'],
    supported: { 'dynamic-import': false },
    // Some packages ask where they lie; a single file lies nowhere.
    define: { 'import.meta.url': '"file:///podsecrets"' },
    legalComments: 'none',
    logLevel: 'warning',
  });
  const [output] = result.outputFiles;
  if (output === undefined) throw new Error('esbuild wrote nothing');
  return { code: output.text, meta: result.metafile };
}
