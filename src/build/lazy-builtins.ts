/**
 * Loads Node's own modules at the first use of one of their exports, not when a file that imports them is evaluated.
 *
 * Node compiles and evaluates its modules on demand: `node:crypto` costs 0.14 times the start of Node, `node:https` 0.22. The
 * SDK and the sources import them at the top of files, for requests that may never be made. Only a module whose exports are a
 * plain object, used by its properties, can be deferred; `node:events` and `node:process` cannot.
 */

import type { Plugin } from 'esbuild';

const DEFERRED = [
  'child_process',
  'crypto',
  'dns',
  'fs/promises',
  'http',
  'http2',
  'https',
  'net',
  'os',
  'tls',
  'url',
  'v8',
  'vm',
  'zlib',
];

export const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup(build) {
    const filter = new RegExp(`^(node:)?(${DEFERRED.join('|')})$`);
    build.onResolve({ filter }, ({ path }) => ({
      path: path.replace(/^node:/, ''),
      namespace: 'lazy-builtin',
      sideEffects: false,
    }));
    build.onLoad({ filter: /./, namespace: 'lazy-builtin' }, async ({ path }) => {
      const exports = process.getBuiltinModule(`node:${path}`);
      if (typeof exports !== 'object')
        throw new Error(`node:${path} cannot be deferred: its exports are not a plain object`);
      // esbuild copies the own properties of a module, which would load it, but keeps its prototype.
      return {
        contents: `let loaded;
          module.exports = Object.create(new Proxy({}, {
            get: (_, name) => name === '__esModule' ? undefined : (loaded ??= process.getBuiltinModule('node:${path}'))[name],
          }));`,
      };
    });
  },
};
