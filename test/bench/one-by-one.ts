/**
 * The program for comparison: podsecrets, but it requests one value after another, as the CSI provider does. The build is the same,
 * except that the source of values is wrapped.
 */

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Plugin } from 'esbuild';
import { bundle } from '../../src/build/bundle.ts';
import { makeExecutable } from '../../src/build/executable.ts';

/** Builds it as `podsecrets` in the returned directory. */
export async function buildOneByOne(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'podsecrets-one-by-one-'));
  const { modules, meta } = await bundle(join(import.meta.dirname, '../../src/main.ts'), {
    plugins: [wrapping],
  });
  const isWrapped = Object.keys(meta.inputs).some((file) => file.endsWith(basename(wrapper)));
  if (!isWrapped) throw new Error('nothing imports the source that is to be wrapped');
  await makeExecutable(modules, directory);
  return directory;
}

const wrapper = join(import.meta.dirname, 'one-by-one-source.ts');

const wrapping: Plugin = {
  name: 'one-by-one',
  setup(build) {
    build.onResolve({ filter: /\/secret-source\.ts$/ }, ({ importer }) =>
      importer === wrapper ? undefined : { path: wrapper },
    );
  },
};
