/**
 * Builds an executable from the program's modules: Node's own `--build-sea` puts them into a copy of the Node that runs this.
 *
 * Node can store compiled code with a program, but only of functions that run when a script is first evaluated. So the build
 * runs the program (warm-up.ts) and stores the code of everything that ran. A start-up snapshot would start faster, but Node
 * keeps a copy of it for as long as it runs: each additional sidecar takes 20.3 instead of 14.7 MiB, and the peak memory of an
 * init is 66 instead of 60 MiB.
 */

import { execFile, execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Modules, type NeededModules, writeChunks } from './chunks.ts';
import { disableLockChecks } from './lock-checks.ts';
import type { Optimization } from './optimizations.ts';
import { builtinSources, trimBuiltins } from './trim-builtins.ts';
import { trimIcu } from './trim-icu.ts';
import { openWarmUp, type Run } from './warm-up.ts';

/** Flags of Node and V8 that the executable always has. V8 accepts the stored code only with the same ones. */
const FLAGS: readonly string[] = [
  // One worker thread for the garbage collector and the compiler instead of one for each core: at most 3 threads less.
  '--v8-pool-size=1',
  // Otherwise SIGUSR1 opens Node's debugger, and with it the memory, to any process that may send a signal.
  '--disable-sigusr1',
  // node:ffi is experimental. Its warning is a line that is not JSON in the log of a sidecar that reaps zombies.
  '--disable-warning=ExperimentalWarning',
];

/** Writes the executable into the directory `work`; returns its path. */
export async function makeExecutable(
  modules: Modules,
  work: string,
  without: ReadonlySet<Optimization> = new Set(),
): Promise<string> {
  const chunks = join(work, 'chunks');
  if (without.has('code-cache')) {
    writeChunks(modules, {}, chunks);
  } else {
    await storeCode(modules, chunks, work, without);
  }

  const output = join(work, 'podsecrets');
  const config = join(work, 'sea.json');
  writeFileSync(
    config,
    JSON.stringify({
      main: join(import.meta.dirname, 'launcher.cjs'),
      output,
      assets: Object.fromEntries(
        readdirSync(chunks)
          .sort()
          .map((name) => [name, join(chunks, name)]),
      ),
      disableExperimentalSEAWarning: true,
      execArgv: FLAGS,
      // NODE_OPTIONS is meant for other programs in the same container: a flag that this Node does not support would end it.
      execArgvExtension: 'none',
    }),
  );
  // Node builds the program into a copy of itself.
  const node = join(work, 'node');
  let executable: Buffer = readFileSync(process.execPath);
  if (!without.has('trim-icu')) executable = trimIcu(executable);
  if (!without.has('trim-builtins')) executable = trimBuiltins(executable, builtinSources());
  if (!without.has('lock-checks')) executable = disableLockChecks(executable);
  writeFileSync(node, executable, { mode: 0o755 });
  execFileSync(node, [...FLAGS, '--build-sea', config], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return output;
}

/** Writes the chunks, and next to each one the compiled code of the functions that the warm-up ran. */
async function storeCode(
  modules: Modules,
  chunks: string,
  work: string,
  without: ReadonlySet<Optimization>,
): Promise<void> {
  const warmUp = await openWarmUp(work);
  try {
    // The first run finds the modules of each chunk, the second stores the code of the chunks.
    writeChunks(modules, {}, chunks);
    if (!without.has('chunks')) writeChunks(modules, await warmUpChunks(chunks, warmUp.runs), chunks);
    await warmUpChunks(chunks, warmUp.runs);
  } finally {
    warmUp.close();
  }
  rmSync(join(chunks, 'needed.json'));
  const script = join(import.meta.dirname, 'fix-code-cache.cjs');
  const keepJit = without.has('disable-jit') ? ['keep-jit'] : [];
  execFileSync(process.execPath, [...FLAGS, script, chunks, ...keepJit], { stdio: 'inherit' });
}

async function warmUpChunks(chunks: string, runs: readonly Run[]): Promise<NeededModules> {
  const script = join(import.meta.dirname, 'warm-up.cjs');
  // V8 seeds its hashes randomly, and the seed decides the order of what is stored. With a fixed seed the same inputs give
  // the same code.
  const args = [...FLAGS, '--hash-seed=1', script, chunks, JSON.stringify(runs)];
  await promisify(execFile)(process.execPath, args, { env: {} });
  return JSON.parse(readFileSync(join(chunks, 'needed.json'), 'utf8'));
}
