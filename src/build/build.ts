/**
 * Builds dist/podsecrets: the whole program as one executable file.
 *
 *   node src/build/build.ts            builds if anything it depends on has changed
 *   node src/build/build.ts --force    builds
 *
 * Two builds may run at once: each works in its own directory and renames its result into place. The stamp next to the
 * program has the hash of its inputs and identifies the program, so that the stamp of one build is never used for another.
 *
 * PODSECRETS_BUILD_WITHOUT=NAME,… leaves optimizations out (optimizations.ts).
 */

import { createHash } from 'node:crypto';
import {
  chmodSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { bundle } from './bundle.ts';
import { makeExecutable } from './executable.ts';
import { readOptimizations } from './optimizations.ts';

const root = join(import.meta.dirname, '../..');
const dist = join(root, 'dist');
const program = join(dist, 'podsecrets');
const stamp = join(dist, 'podsecrets.stamp');

const without = readOptimizations(process.env.PODSECRETS_BUILD_WITHOUT ?? '');
const inputs = hashOfInputs();
if (process.argv.includes('--force') || !isBuiltFrom(inputs)) await build();

async function build(): Promise<void> {
  mkdirSync(dist, { recursive: true });
  const work = mkdtempSync(join(dist, '.build-'));
  try {
    const { modules, meta } = await bundle(join(root, 'src/main.ts'), { without });
    const executable = await makeExecutable(modules, work, without);
    // For the tests, which run the modules themselves.
    const chunks = JSON.parse(readFileSync(join(work, 'chunks/chunks.json'), 'utf8'));
    writeFileSync(
      join(work, 'bundle.json'),
      JSON.stringify({ modules: Object.fromEntries(modules), chunks, meta }),
    );
    renameSync(join(work, 'bundle.json'), join(dist, 'bundle.json'));
    // Independent of the umask, because the image runs it as another user than the build.
    chmodSync(executable, 0o755);
    renameSync(executable, program);
    writeFileSync(join(work, 'stamp'), `${inputs} ${identity()}`);
    renameSync(join(work, 'stamp'), stamp);
    const megabytes = (statSync(program).size / 1e6).toFixed(1);
    process.stdout.write(`dist/podsecrets: ${megabytes} MB, ${modules.size} modules\n`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Everything the result depends on: sources, this tool and its variable, the locked packages, and Node itself. */
function hashOfInputs(): string {
  const hash = createHash('sha256').update(`${process.version} ${process.arch} ${[...without]}\n`);
  const files = globSync(['src/**/*.{ts,cjs}', 'package-lock.json'], {
    cwd: root,
  }).sort();
  for (const file of files) hash.update(`${file}\n`).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function isBuiltFrom(hash: string): boolean {
  try {
    return readFileSync(stamp, 'utf8') === `${hash} ${identity()}`;
  } catch {
    return false;
  }
}

/** Distinguishes one file called dist/podsecrets from the next. */
function identity(): string {
  const { ino, size, mtimeMs } = statSync(program);
  return `${ino} ${size} ${mtimeMs}`;
}
