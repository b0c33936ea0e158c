/** The folder outside the repository where a node's parts stay between runs. Deleting it costs the next run some minutes. */

import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder in it, which exists. */
export function cacheFolder(...names: readonly string[]): string {
  const folder = join(tmpdir(), 'podsecrets-node', ...names);
  mkdirSync(folder, { recursive: true });
  return folder;
}
