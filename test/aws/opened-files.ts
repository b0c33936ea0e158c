/**
 * Records the files that the process opens after the import of this module. Import the modules to watch after it, dynamically.
 */

import fs from 'node:fs';
import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const opened: string[] = [];
for (const [module, name] of [
  [fsPromises, 'readFile'],
  [fsPromises, 'open'],
  [fs, 'readFile'],
  [fs, 'readFileSync'],
  [fs, 'open'],
  [fs, 'openSync'],
  [fs, 'createReadStream'],
] as const) {
  const functions = module as unknown as Record<string, (...args: unknown[]) => unknown>;
  const real = functions[name] as (...args: unknown[]) => unknown;
  functions[name] = (...args) => {
    opened.push(String(args[0]));
    return real.apply(module, args);
  };
}
// Named imports get the spies too.
syncBuiltinESMExports();

/** Files opened since the last call, without the modules that Node loads. */
export function openedFiles(): string[] {
  return [...new Set(opened.splice(0))].filter((file) => !/\.(js|cjs|mjs|ts|json)$/.test(file));
}
