/** The seed of example.seed.yaml, and a stand-in that holds it. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSeed, type Seed } from './seed.ts';
import { type StandIn, type StandInOptions, startStandIn } from './server.ts';

export const exampleSeed: Seed = parseSeed(
  readFileSync(join(import.meta.dirname, 'example.seed.yaml'), 'utf8'),
);

/** A stand-in with one of everything. */
export function startExample(options: Omit<StandInOptions, 'seed'> = {}): Promise<StandIn> {
  return startStandIn({ seed: exampleSeed, ...options });
}
