/**
 * Groups the program's modules into chunks, one script each.
 *
 * Modules that the same warm-up runs needed form one chunk, named after these runs; a module that no run needed is a chunk of
 * its own. One script of a dozen modules starts faster than a dozen scripts.
 */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Source texts by name. */
export type Modules = ReadonlyMap<string, string>;

/** Which modules each warm-up run needed. */
export type NeededModules = Readonly<Record<string, readonly string[]>>;

/** Writes the chunks and their index, chunks.json, into the directory, which it empties first. */
export function writeChunks(modules: Modules, needed: NeededModules, directory: string): void {
  const chunks = new Map<string, string[]>();
  const index: Record<string, string> = {};
  for (const name of modules.keys()) {
    const runs = Object.keys(needed).filter((run) => needed[run]?.includes(name));
    const chunk = runs.length === 0 ? name : runs.join('+');
    chunks.set(chunk, [...(chunks.get(chunk) ?? []), name]);
    index[`./${name}`] = chunk;
  }
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  writeFileSync(join(directory, 'chunks.json'), JSON.stringify(index));
  for (const [chunk, names] of chunks) {
    const members = names.map((name) => `${JSON.stringify(`./${name}`)}: ${modules.get(name)}`);
    writeFileSync(join(directory, chunk), `({${members.join(',\n')}})`);
  }
}
