/**
 * The `yaml` package in its ES build. The package has one, but gives Node the CommonJS one, which cannot be shaken (112
 * instead of 96 KiB, 0.1 times the start of Node). The two differ in how they decode `!!binary` and warn.
 */

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Plugin } from 'esbuild';

export const esYaml: Plugin = {
  name: 'es-yaml',
  setup(build) {
    const path = join(
      dirname(createRequire(import.meta.url).resolve('yaml/package.json')),
      'browser/index.js',
    );
    build.onResolve({ filter: /^yaml$/ }, () => ({ path, sideEffects: false }));
  },
};
