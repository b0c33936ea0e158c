/** The seed of example.seed.yaml, and a fake AWS with it. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSeed, type Seed } from './seed.ts';
import { type FakeAws, type FakeAwsOptions, startFakeAws } from './server.ts';

export const exampleSeed: Seed = parseSeed(
  readFileSync(join(import.meta.dirname, 'example.seed.yaml'), 'utf8'),
);

/** A fake AWS with one of everything. */
export function startExample(options: Omit<FakeAwsOptions, 'seed'> = {}): Promise<FakeAws> {
  return startFakeAws({ seed: exampleSeed, ...options });
}
