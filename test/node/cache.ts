/** The folder outside the repository with the parts of a node between runs. Without it the next run takes some minutes more. */

import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder in it, which exists. */
export function cacheFolder(...names: readonly string[]): string {
  const folder = join(tmpdir(), 'podsecrets-node', ...names);
  mkdirSync(folder, { recursive: true });
  return folder;
}
