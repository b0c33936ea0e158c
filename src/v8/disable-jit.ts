/**
 * Disables V8's optimizing compilers: podsecrets does not run long enough to recover their cost.
 *
 * The compilers would start on the YAML of fifty objects. Without them the peak of such an init is 60 instead of 66 MB, and
 * it takes 8 % less CPU; a sidecar uses 3 MB less, because neither their code nor their working memory is ever freed.
 */

import { setFlagsFromString } from 'node:v8';

/** For a process that syncs. Call it before the modules of a sync are loaded: their stored code is for V8 with these flags. */
export function disableJit(): void {
  for (const name of MODULES) process.getBuiltinModule(`node:${name}`);
  // Node loads this class when it is first used: by the request for credentials of Pod Identity.
  void process.getBuiltinModule('node:async_hooks').AsyncLocalStorage;
  stopCompilers();
}

/** For a process that has loaded all its modules. */
export function stopCompilers(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
}

/**
 * Node's modules that every sync over TLS needs. Loaded first: once flags have changed, V8 rejects the compiled code that Node
 * stores of its own modules (crypto alone is 22 of them; together 0.24 times the start of Node). Loaded by name, because the bundler
 * drops unused imports.
 */
const MODULES = ['http', 'https', 'crypto', 'sqlite', 'process'];

/** On a command line `--max-opt=0` implies the others; set at run time it does not. */
const FLAGS = [
  '--max-opt=0',
  '--no-turbofan',
  '--no-maglev',
  '--no-sparkplug',
  // Regular expressions stay bytecode as well: 0.1 times the start of Node. As a flag of the executable it would cost 0.5,
  // because V8 would then reject the code that Node stores of its own modules.
  '--no-regexp-optimization',
];
