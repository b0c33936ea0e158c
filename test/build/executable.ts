/**
 * A program's text becomes an executable: Node's own `--build-sea` puts it into a copy of the Node that runs this.
 *
 * Node can store compiled code with it, but only of functions that run when the text is first evaluated (3.3 times the
 * start of Node for one secret). Here the program is run once instead, and the code of everything that ran is stored (2.7
 * times). A start-up snapshot would be as fast, but costs each sidecar 5 MB for as long as it lives.
 */

import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openWarmUp } from './warm-up.ts';

/** Flags of Node and V8 that the executable always has. The stored code is only accepted by a V8 with the same ones. */
const FLAGS = [
  // No worker threads for the garbage collector and the compiler: 3 threads less, and nothing to wait for on one core.
  '--v8-pool-size=0',
];

/** Writes the executable into the directory `work`; returns its path. */
export async function makeExecutable(code: string, work: string): Promise<string> {
  const path = (name: string) => join(work, name);
  writeFileSync(path('program.js'), `(function (require) {${code}\n})`);
  await compile(path('program.js'), path('program.code'), work);
  writeFileSync(
    path('sea.json'),
    JSON.stringify({
      main: join(import.meta.dirname, 'launcher.cjs'),
      output: path('podsecrets'),
      assets: { program: path('program.js'), code: path('program.code') },
      disableExperimentalSEAWarning: true,
      useCodeCache: true,
      execArgv: FLAGS,
      // NODE_OPTIONS is for another program in the same container, never for this one: a flag unknown here would end it.
      execArgvExtension: 'none',
    }),
  );
  execFileSync(process.execPath, [...FLAGS, '--build-sea', path('sea.json')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return path('podsecrets');
}

/** Runs the program's `init` once against answers made up here, and stores the code of what ran. */
async function compile(program: string, code: string, work: string): Promise<void> {
  const warmUp = await openWarmUp(work);
  try {
    const script = join(import.meta.dirname, 'warm-up.cjs');
    await promisify(execFile)(process.execPath, [...FLAGS, script, program, code, ...warmUp.args], { env: warmUp.env });
    readFileSync(code);
  } finally {
    warmUp.close();
  }
}
