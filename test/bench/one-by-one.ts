/** The program for comparison: podsecrets, but it requests one value after another, as the CSI provider does. */

import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import { buildVariant, type Variant } from './build-variant.ts';

const wrapper = join(import.meta.dirname, 'one-by-one-source.ts');

/** The source of values, wrapped. */
export async function buildOneByOne(): Promise<Variant> {
  let wrapped = false;
  const wrapping: Plugin = {
    name: 'one-by-one',
    setup(build) {
      build.onResolve({ filter: /\/secret-source\.ts$/ }, ({ importer }) => {
        if (importer === wrapper) return undefined;
        wrapped = true;
        return { path: wrapper };
      });
    },
  };
  const variant = await buildVariant(wrapping);
  if (!wrapped) throw new Error('nothing imports the source that is to be wrapped');
  return variant;
}
