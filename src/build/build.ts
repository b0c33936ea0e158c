/**
 * Builds dist/podsecrets: the whole program as one executable file.
 *
 *   node test/build/build.ts            builds if anything it depends on has changed
 *   node test/build/build.ts --force    builds
 *
 * Two builds may run at once: each works in a directory of its own and moves its result into place in one step. The stamp
 * beside the program says which inputs it was made from, and of which file it speaks, so that a stamp and a program of
 * different builds are never taken for a pair.
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

const root = join(import.meta.dirname, '../..');
const dist = join(root, 'dist');
const program = join(dist, 'podsecrets');
const stamp = join(dist, 'podsecrets.stamp');

const inputs = hashOfInputs();
if (process.argv.includes('--force') || !isBuiltFrom(inputs)) await build();

async function build(): Promise<void> {
  mkdirSync(dist, { recursive: true });
  const work = mkdtempSync(join(dist, '.build-'));
  try {
    const { texts, meta } = await bundle(join(root, 'src/main.ts'));
    const executable = await makeExecutable(texts, work);
    // For the tests of the budget, which run the texts themselves.
    writeFileSync(join(work, 'bundle.json'), JSON.stringify({ texts: Object.fromEntries(texts), meta }));
    renameSync(join(work, 'bundle.json'), join(dist, 'bundle.json'));
    // A umask takes nothing away: the image runs it as another user than the one who built it.
    chmodSync(executable, 0o755);
    renameSync(executable, program);
    writeFileSync(join(work, 'stamp'), `${inputs} ${identity()}`);
    renameSync(join(work, 'stamp'), stamp);
    const megabytes = (statSync(program).size / 1e6).toFixed(1);
    process.stdout.write(`dist/podsecrets: ${megabytes} MB, ${texts.size} texts\n`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Everything the result depends on: sources, this tool, the locked packages, and the Node that becomes the executable. */
function hashOfInputs(): string {
  const hash = createHash('sha256').update(`${process.version} ${process.arch}\n`);
  const files = globSync(['src/**/*.ts', 'test/build/**/*.{ts,cjs}', 'package-lock.json'], {
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

/** Tells one file called dist/podsecrets from the next. */
function identity(): string {
  const { ino, size, mtimeMs } = statSync(program);
  return `${ino} ${size} ${mtimeMs}`;
}
