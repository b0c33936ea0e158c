/**
 * Which of the program's texts become one script.
 *
 * Texts that the same runs of the warm-up needed go together, and the pack is called after these runs; a text that no run
 * needed stays by itself. One script of a dozen texts starts faster than a dozen scripts (by 0.1 times the start of Node).
 */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type Texts = ReadonlyMap<string, string>;

/** Which texts each run needed. */
export type Needs = Readonly<Record<string, readonly string[]>>;

/** Writes the packs and their index, packs.json, into the directory. */
export function writePacks(texts: Texts, needs: Needs, directory: string): void {
  const packs = new Map<string, string[]>();
  const index: Record<string, string> = {};
  for (const name of texts.keys()) {
    const runs = Object.keys(needs).filter((run) => needs[run]?.includes(name));
    const pack = runs.length === 0 ? name : runs.join('+');
    packs.set(pack, [...(packs.get(pack) ?? []), name]);
    index[`./${name}`] = pack;
  }
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
  writeFileSync(join(directory, 'packs.json'), JSON.stringify(index));
  for (const [pack, names] of packs) {
    const members = names.map((name) => `${JSON.stringify(`./${name}`)}: ${texts.get(name)}`);
    writeFileSync(join(directory, pack), `({${members.join(',\n')}})`);
  }
}
