/**
 * `npm run test:node`: the tests of this folder, on a whole node that is started here. Needs root on Linux, Go, and the
 * packages of Debian or Ubuntu; the first run builds for some minutes. Exits with 3, and names the missing part, if this
 * machine cannot run a node: nothing was tested then.
 *
 *   npm run test:node            all of it, and then the times of a pod's start
 *   npm run test:node -- WORD…   the test files whose path has one of the words
 *   npm run test:node -- start-times            only the times, and writes them into start-times.json, for the README
 *   npm run test:node -- --own-kernel [WORD…]   on a kernel with cgroups of version 2 only and fs.protected_symlinks=1,
 *                                               independent of this machine: own-kernel.ts. Takes six times as long
 */

import { imageArchives } from './images.ts';
import { checkMachine } from './machine.ts';
import { MISSING, MissingPart, part } from './missing.ts';
import { runOnOwnKernel } from './own-kernel.ts';
import { nodePrograms } from './programs.ts';
import { runHere } from './run-here.ts';

const words = process.argv.slice(2);
const OWN_KERNEL = '--own-kernel';

try {
  checkMachine();
  const programs = await part('the programs of a node', nodePrograms);
  const parts = { programs, archives: await imageArchives() };
  const filter = words.filter((word) => word !== OWN_KERNEL);
  process.exitCode = await (words.includes(OWN_KERNEL) ? runOnOwnKernel : runHere)(parts, filter);
} catch (error) {
  if (!(error instanceof MissingPart)) throw error;
  process.stderr.write(`!! NOT RUN: test/node, on a whole node. Missing: ${error.message}\n`);
  process.exitCode = MISSING;
}
