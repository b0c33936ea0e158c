/** Builds the program from sources that a plugin changes, for comparison; everything else is the same. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import { bundle } from '../../src/build/bundle.ts';
import { makeExecutable } from '../../src/build/executable.ts';
import { dropPages } from './processes.ts';

export interface Variant {
  /** Path of the executable. */
  readonly program: string;
  remove(): void;
}

export async function buildVariant(plugin: Plugin): Promise<Variant> {
  const directory = mkdtempSync(join(tmpdir(), `podsecrets-${plugin.name}-`));
  const { modules } = await bundle(join(import.meta.dirname, '../../src/main.ts'), { plugins: [plugin] });
  const program = await makeExecutable(modules, directory);
  dropPages(program);
  return { program, remove: () => rmSync(directory, { recursive: true }) };
}
