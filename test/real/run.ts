/** `npm run test:real`: the tests of this folder, once everything that they run is there. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { motoPackages } from './packages.ts';

process.stdout.write(`moto: ${motoPackages()}\n`);
const words = [
  '--no-warnings',
  join(import.meta.dirname, '..', 'run.ts'),
  '--real',
  ...process.argv.slice(2),
];
process.exitCode = spawnSync(process.execPath, words, { stdio: 'inherit' }).status ?? 1;
