/**
 * The sources and their packages as a few CommonJS texts: one for the start, and one for each part that only some commands
 * or configs need.
 *
 * CommonJS, because an ES module that imports `node:http` makes Node evaluate every export of it, which loads 69 more of
 * its own modules (4.0 instead of 2.5 times the start of Node for a program without any package). Several texts, because
 * what is not needed then costs neither time nor memory: neither its text nor its compiled code is read.
 */

import { basename } from 'node:path';
import { build, type Metafile, type Plugin, transform } from 'esbuild';
import { esYaml } from './es-yaml.ts';
import { lazyBuiltins } from './lazy-builtins.ts';
import { crc32 } from './patches/crc32.ts';
import { createRequire } from './patches/create-require.ts';
import { credentialChain } from './patches/credential-chain.ts';
import { httpsAgent } from './patches/https-agent.ts';
import { applying } from './patches/patch.ts';
import { webCrypto } from './patches/web-crypto.ts';
import { webStreams } from './patches/web-streams.ts';

export interface Bundle {
  /** Texts by name. They ask for each other as `./name`; the program starts with main.js. */
  readonly texts: ReadonlyMap<string, string>;
  /** Which file contributed how many bytes to which text. */
  readonly meta: Metafile;
}

/** Bundles the program that starts at `entry`, a file called main.ts; `more` are plugins of the caller. */
export async function bundle(entry: string, more: readonly Plugin[] = []): Promise<Bundle> {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    splitting: true,
    // Only ES modules can be split; each is made CommonJS below.
    format: 'esm',
    write: false,
    metafile: true,
    outdir: 'bundle',
    platform: 'node',
    target: 'node26',
    minify: true,
    // The ES sources of a package can be shaken; `main`, esbuild's default for Node, is CommonJS and cannot.
    mainFields: ['module', 'main'],
    conditions: ['module'],
    // Some packages ask where they lie; a single file lies nowhere.
    define: { 'import.meta.url': '"file:///podsecrets"' },
    plugins: [
      ...more,
      lazyBuiltins,
      esYaml,
      applying([crc32, createRequire, ...credentialChain, httpsAgent, webCrypto, webStreams]),
    ],
    legalComments: 'none',
    logLevel: 'error',
  });
  const texts = new Map<string, string>();
  for (const { path, text } of result.outputFiles) {
    texts.set(basename(path), await commonJs(text, isCommonJs(basename(path), result.metafile)));
  }
  return { texts, meta: result.metafile };
}

/** Whether the text is a CommonJS module that somebody `import()`s. */
function isCommonJs(name: string, meta: Metafile): boolean {
  const entry = meta.outputs[`bundle/${name}`]?.entryPoint;
  return entry !== undefined && meta.inputs[entry]?.format === 'cjs';
}

async function commonJs(text: string, wasCommonJs: boolean): Promise<string> {
  const { code } = await transform(text, {
    format: 'cjs',
    platform: 'node',
    target: 'node26',
    minify: true,
    supported: { 'dynamic-import': false },
    // The launcher reads a text as one byte a character.
    charset: 'ascii',
    legalComments: 'none',
  });
  // Of a CommonJS module esbuild exports only the default, which is all there is to it.
  const exported = wasCommonJs ? 'module.exports = module.exports.default;' : '';
  return `(function (require, module, exports) {${code}\n${exported}})`;
}
