/**
 * The program's texts become an executable: Node's own `--build-sea` puts them into a copy of the Node that runs this.
 *
 * Node can store compiled code with a program, but only of functions that run when a text is first evaluated (3.3 times the
 * start of Node for one secret). Here the program is run instead, and the code of everything that ran is stored (2.5 times).
 * A start-up snapshot would start faster, but Node keeps a copy of it for as long as it runs: one more sidecar takes 20.3
 * instead of 14.7 MiB, and the peak of an init is 66 instead of 60.
 */

import { execFile, execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Needs, type Texts, writePacks } from './chunks.ts';
import { trimIcu } from './trim-icu.ts';
import { openWarmUp, type Run } from './warm-up.ts';

/** Flags of Node and V8 that the executable always has. The stored code is only accepted by a V8 with the same ones. */
const FLAGS = [
  // One worker thread for the garbage collector and the compiler instead of one for each core: at most 3 threads less.
  '--v8-pool-size=1',
  // SIGUSR1 would open Node's debugger, and with it the memory, to whoever can send a signal.
  '--disable-sigusr1',
  // node:ffi is experimental, and says so in a line that is no JSON, in the log of a sidecar that reaps orphans.
  '--disable-warning=ExperimentalWarning',
];

/** Writes the executable into the directory `work`; returns its path. */
export async function makeExecutable(texts: Texts, work: string): Promise<string> {
  const packs = join(work, 'packs');
  const warmUp = await openWarmUp(work);
  try {
    // The first time to see which texts go together, the second time for the code of the packs that were made so.
    writePacks(texts, {}, packs);
    writePacks(texts, await needsOf(packs, warmUp.runs), packs);
    await needsOf(packs, warmUp.runs);
  } finally {
    warmUp.close();
  }
  rmSync(join(packs, 'needed.json'));
  acceptCode(packs);

  const output = join(work, 'podsecrets');
  const config = join(work, 'sea.json');
  writeFileSync(
    config,
    JSON.stringify({
      main: join(import.meta.dirname, 'launcher.cjs'),
      output,
      assets: Object.fromEntries(
        readdirSync(packs)
          .sort()
          .map((name) => [name, join(packs, name)]),
      ),
      disableExperimentalSEAWarning: true,
      execArgv: FLAGS,
      // NODE_OPTIONS is for another program in the same container, never for this one: a flag unknown here would end it.
      execArgvExtension: 'none',
    }),
  );
  // A Node builds the program into a copy of itself.
  const node = join(work, 'node');
  writeFileSync(node, trimIcu(readFileSync(process.execPath)), { mode: 0o755 });
  execFileSync(node, [...FLAGS, '--build-sea', config], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return output;
}

/** Makes the stored code one that a V8 with our flags accepts, and sees that it does. */
function acceptCode(packs: string): void {
  const script = join(import.meta.dirname, 'fix-code-cache.cjs');
  execFileSync(process.execPath, [...FLAGS, script, packs], { stdio: 'inherit' });
}

async function needsOf(packs: string, runs: readonly Run[]): Promise<Needs> {
  const script = join(import.meta.dirname, 'warm-up.cjs');
  // The seed of V8's hashes is a number of chance, and decides the order of what is stored: given, the same inputs give the
  // same code.
  const flags = [...FLAGS, '--hash-seed=1'];
  await promisify(execFile)(process.execPath, [...flags, script, packs, JSON.stringify(runs)], { env: {} });
  return JSON.parse(readFileSync(join(packs, 'needed.json'), 'utf8'));
}
