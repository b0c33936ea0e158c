/**
 * `npm run test:moto`: the tests of this folder, once the programs that they need are installed. Exits with 3, and names what is
 * missing, if that is not possible: nothing was tested then.
 */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { motoPackages } from './packages.ts';

const MISSING = 3;

if (isInstalled()) {
  const runner = join(import.meta.dirname, '../run.ts');
  const words = ['--no-warnings', runner, '--moto', ...process.argv.slice(2)];
  process.exitCode = spawnSync(process.execPath, words, { stdio: 'inherit' }).status ?? 1;
} else {
  process.exitCode = MISSING;
}

function isInstalled(): boolean {
  try {
    process.stdout.write(`moto: ${motoPackages()}\n`);
    return true;
  } catch (error) {
    process.stderr.write(`!! NOT RUN: test/moto, the tests against moto. ${(error as Error).message}\n`);
    return false;
  }
}
