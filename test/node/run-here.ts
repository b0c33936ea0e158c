/** The part of a run that needs the programs and the images, on the running kernel. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCgroup, removeCgroup } from './cgroup.ts';
import { part } from './missing.ts';
import { runInNamespaces } from './namespace.ts';
import type { NodeParts } from './node.ts';

export type BuiltParts = Pick<NodeParts, 'programs' | 'archives'>;

/** Starts a node and runs the test files whose path has one of the words; the exit code of the tests. */
export async function runHere(parts: BuiltParts, words: readonly string[]): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'node-'));
  const cgroup = `/podsecrets-${directory.slice(-6)}`;
  const inside = join(import.meta.dirname, 'inside.ts');
  const whole: NodeParts = { ...parts, directory, cgroup };
  try {
    await part('cgroups that this process may make', () => makeCgroup(cgroup));
    return await runInNamespaces([
      process.execPath,
      '--no-warnings',
      inside,
      JSON.stringify(whole),
      ...words,
    ]);
  } finally {
    removeCgroup(cgroup);
    rmSync(directory, { recursive: true, force: true });
  }
}
