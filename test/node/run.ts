/**
 * `npm run test:node`: the tests of this folder, on a whole node that is started here. Needs root on Linux, Go, and the
 * packages of Debian or Ubuntu; the first run builds for some minutes. Exits with 3, and says which part is missing, if this
 * machine cannot have a node: then nothing was tested.
 *
 *   npm run test:node            all of it, and then the times of a pod's start
 *   npm run test:node -- WORD…   the test files whose path has one of the words
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCgroup, removeCgroup } from './cgroup.ts';
import { imageArchives } from './images.ts';
import { checkMachine } from './machine.ts';
import { MissingPart, part } from './missing.ts';
import { runInNamespaces } from './namespace.ts';
import type { NodeParts } from './node.ts';
import { nodePrograms } from './programs.ts';

const MISSING = 3;

try {
  checkMachine();
  const programs = await part('the programs of a node', nodePrograms);
  const archives = await imageArchives();
  process.exitCode = await run({ programs, archives });
} catch (error) {
  if (!(error instanceof MissingPart)) throw error;
  process.stderr.write(`!! NOT RUN: test/node, on a whole node. Missing: ${error.message}\n`);
  process.exitCode = MISSING;
}

/** The exit code of the tests. */
async function run(parts: Pick<NodeParts, 'programs' | 'archives'>): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'node-'));
  const cgroup = `/podsecrets-${directory.slice(-6)}`;
  const inside = join(import.meta.dirname, 'inside.ts');
  const whole: NodeParts = { ...parts, directory, cgroup };
  try {
    await part('cgroups that this process may make', () => makeCgroup(cgroup));
    const command = [
      process.execPath,
      '--no-warnings',
      inside,
      JSON.stringify(whole),
      ...process.argv.slice(2),
    ];
    return await runInNamespaces(command);
  } finally {
    removeCgroup(cgroup);
    rmSync(directory, { recursive: true, force: true });
  }
}
