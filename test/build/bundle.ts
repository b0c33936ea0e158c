/**
 * The sources and their packages as one CommonJS text.
 *
 * CommonJS, because an ES module that imports `node:http` makes Node evaluate every export of it, which loads 69 more of
 * its own modules (4.0 instead of 2.5 times the start of Node for a program without any package). `import()` becomes a
 * deferred `require` inside the text: what a command does not need is neither evaluated nor compiled.
 */

import { build, type Metafile } from 'esbuild';
import { lazyBuiltins } from './lazy-builtins.ts';
import { crc32 } from './patches/crc32.ts';
import { httpsAgent } from './patches/https-agent.ts';
import { applying } from './patches/patch.ts';

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
    // The ES sources of a package can be shaken; `main`, esbuild's default for Node, is CommonJS and cannot.
    mainFields: ['module', 'main'],
    conditions: ['module'],
    supported: { 'dynamic-import': false },
    // Some packages ask where they lie; a single file lies nowhere.
    define: { 'import.meta.url': '"file:///podsecrets"' },
    plugins: [lazyBuiltins, applying([crc32, httpsAgent])],
    // The launcher reads the text as one byte a character.
    charset: 'ascii',
    legalComments: 'none',
    logLevel: 'error',
  });
  const [output] = result.outputFiles;
  if (output === undefined) throw new Error('esbuild wrote nothing');
  return { code: output.text, meta: result.metafile };
}
