/**
 * Makes the directory that other images can use: `node src/build/portable.ts DIRECTORY` copies the program there, with its
 * libraries and their loader, and patchelf sets the paths of both. Needs patchelf.
 *
 * The paths are absolute, because `$ORIGIN` needs /proc: the directory works only as /podsecrets. It works in every image, also
 * in one without a C library or with another one.
 */

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { PROGRAM_DIRECTORY } from '../core/program-path.ts';

const program = join(import.meta.dirname, '../../dist/podsecrets');
const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('expected a directory, got none');

mkdirSync(directory, { recursive: true });
const libraries = execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
const loader = libraries.find((file) => basename(file).startsWith('ld-linux'));
if (loader === undefined) throw new Error(`ldd names no loader of ${program}`);
for (const file of [program, ...libraries]) copyFileSync(file, join(directory, basename(file)));
// In two runs, and in this order: patchelf 0.18 otherwise writes segments that overlap, and the program ends with SIGSEGV.
const target = join(directory, basename(program));
for (const change of [
  ['--set-rpath', PROGRAM_DIRECTORY],
  ['--set-interpreter', join(PROGRAM_DIRECTORY, basename(loader))],
])
  execFileSync('patchelf', [...change, target], { stdio: 'inherit' });
