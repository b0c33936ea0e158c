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
import { Script } from 'node:vm';
import { acceptFlags, COMPILED_BUILTINS, type CompiledBuiltins, storeBuiltins } from './builtin-code.ts';
import { type Modules, type NeededModules, writeChunks } from './chunks.ts';
import { disableLockChecks } from './lock-checks.ts';
import type { Optimization } from './optimizations.ts';
import { builtinSources, trimBuiltins, unusedPart } from './trim-builtins.ts';
import { trimIcu } from './trim-icu.ts';
import { openWarmUp, type Run } from './warm-up.ts';

/** V8 accepts stored code only with the flags that it was compiled with. */
const FLAGS: readonly string[] = [
  // One worker thread for the garbage collector and the compiler instead of one for each core: at most 3 threads less.
  '--v8-pool-size=1',
  // The program collects garbage itself (src/v8/collect-garbage.ts).
  '--expose-gc',
  // Otherwise SIGUSR1 opens Node's debugger, and with it the memory, to any process that may send a signal.
  '--disable-sigusr1',
  // node:ffi is experimental. Its warning is a line that is not JSON in the log of a sidecar that reaps zombies.
  '--disable-warning=ExperimentalWarning',
];

/**
 * Disable V8's optimizing compilers: podsecrets does not run long enough to recover their cost. They would start on the YAML of fifty
 * objects. Without them the peak of such an init is 60 instead of 66 MB, and it takes 8 % less CPU; a sidecar uses 3 MB less, because
 * neither their code nor their working memory is ever freed.
 */
const NO_JIT: readonly string[] = [
  '--max-opt=0',
  '--no-turbofan',
  '--no-maglev',
  '--no-sparkplug',
  // Regular expressions stay bytecode as well.
  '--no-regexp-optimization',
];

/**
 * Node does not parse the authorities that it contains, which it otherwise does before the first connection over TLS, even for one
 * that trusts others. Every connection of the program names its own, or those of Node (src/http/authorities.ts). The second flag is
 * for NODE_USE_SYSTEM_CA: Node does not start with both.
 */
const OWN_AUTHORITIES: readonly string[] = ['--use-openssl-ca', '--no-use-system-ca'];

/** The flags of Node and V8 that the executable always has. */
export function programFlags(without: ReadonlySet<Optimization> = new Set()): readonly string[] {
  return [
    ...FLAGS,
    ...(without.has('disable-jit') ? [] : NO_JIT),
    ...(without.has('own-authorities') ? [] : OWN_AUTHORITIES),
  ];
}

/** Writes the executable into the directory `work`; returns its path. */
export async function makeExecutable(
  modules: Modules,
  work: string,
  without: ReadonlySet<Optimization> = new Set(),
): Promise<string> {
  const chunks = join(work, 'chunks');
  const flags = programFlags(without);
  if (without.has('code-cache')) {
    writeChunks(modules, {}, chunks);
  } else {
    await storeCode(modules, chunks, work, without, flags);
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
      execArgv: flags,
      // NODE_OPTIONS is meant for other programs in the same container: a flag that this Node does not support would end it.
      execArgvExtension: 'none',
    }),
  );
  // Node builds the program into a copy of itself.
  const node = join(work, 'node');
  writeFileSync(node, changedNode(work, without, flags), { mode: 0o755 });
  checkBuiltins(node, flags);
  execFileSync(node, [...flags, '--build-sea', config], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return output;
}

/** The Node that runs this, as the program needs it. */
function changedNode(work: string, without: ReadonlySet<Optimization>, flags: readonly string[]): Buffer {
  const original = readFileSync(process.execPath);
  const sources = builtinSources();
  let executable: Buffer = original;
  if (!without.has('trim-icu')) executable = trimIcu(executable);
  if (!without.has('trim-builtins')) executable = trimBuiltins(executable, sources);
  if (!without.has('lock-checks')) executable = disableLockChecks(executable);
  const compiled = compileBuiltins(work, flags);
  const header = new Script('0').createCachedData();
  if (!without.has('builtin-code') && process.arch === 'x64')
    executable = storeBuiltins(executable, header, compiled, sources, unusedPart(original, sources));
  return acceptFlags(executable, header, compiled.hash);
}

function compileBuiltins(work: string, flags: readonly string[]): CompiledBuiltins {
  const file = join(work, 'builtins.json');
  const script = join(import.meta.dirname, 'compile-builtins.cjs');
  const args = ['--no-deprecation', ...flags, script, file, ...COMPILED_BUILTINS];
  execFileSync(process.execPath, args, { stdio: 'inherit' });
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Throws if V8 rejects code that Node has stored of its own modules. */
function checkBuiltins(node: string, flags: readonly string[]): void {
  const script = join(import.meta.dirname, 'check-builtins.cjs');
  execFileSync(node, ['--no-warnings', ...flags, '--expose-internals', script, ...COMPILED_BUILTINS], {
    stdio: 'inherit',
  });
}

/** Writes the chunks, and next to each one the compiled code of the functions that the warm-up ran. */
async function storeCode(
  modules: Modules,
  chunks: string,
  work: string,
  without: ReadonlySet<Optimization>,
  flags: readonly string[],
): Promise<void> {
  const warmUp = await openWarmUp(work);
  try {
    // The first run finds the modules of each chunk, the second stores the code of the chunks.
    writeChunks(modules, {}, chunks);
    if (!without.has('chunks')) writeChunks(modules, await warmUpChunks(chunks, warmUp.runs, flags), chunks);
    await warmUpChunks(chunks, warmUp.runs, flags);
  } finally {
    warmUp.close();
  }
  rmSync(join(chunks, 'needed.json'));
  const script = join(import.meta.dirname, 'fix-code-cache.cjs');
  execFileSync(process.execPath, [...flags, script, chunks], { stdio: 'inherit' });
}

async function warmUpChunks(
  chunks: string,
  runs: readonly Run[],
  flags: readonly string[],
): Promise<NeededModules> {
  const script = join(import.meta.dirname, 'warm-up.cjs');
  // V8 seeds its hashes randomly, and the seed decides the order of what is stored. With a fixed seed the same inputs give
  // the same code.
  const args = [...flags, '--hash-seed=1', script, chunks, JSON.stringify(runs)];
  await promisify(execFile)(process.execPath, args, { env: {} });
  return JSON.parse(readFileSync(join(chunks, 'needed.json'), 'utf8'));
}
