/**
 * Records which Kubernetes Secrets were applied from a generation.
 *
 * A process may end between a publish and the update of its Secrets. The next one finds the files complete, and would be
 * ready at once although a Secret is missing or stale. The record is valid only while its generation is current, so a restart
 * is ready at once exactly when the Secrets of this generation were applied, even while AWS is unavailable.
 */

import { join } from 'node:path';
import { readBounded } from './bounded-read.ts';
import type { FileSystem } from './fs.ts';
import { appliedFileName, type Layout, readLayout } from './layout.ts';

/** Bytes: more than a config may describe. A larger file, put there by another container, is not read. */
const LIMIT = 4 * 1024 * 1024;

/** The record of the current generation; undefined if there is none. */
export function readAppliedSecrets(fs: FileSystem, dir: string, { appliedFile }: Layout): string | undefined {
  if (appliedFile === undefined) return undefined;
  const path = join(dir, appliedFile);
  return fs.lstatSync(path).isFile() ? readBounded(fs, path, LIMIT) : undefined;
}

/** Records a description of the Secrets for a generation, without values. Nothing is written if it is recorded already. */
export function writeAppliedSecrets(fs: FileSystem, dir: string, generation: string, text: string): void {
  const layout = readLayout(fs, dir);
  // Another process has published since: what was applied from its generation is for that process to record.
  if (layout.current?.name !== generation || readAppliedSecrets(fs, dir, layout) === text) return;
  const path = join(dir, appliedFileName(generation));
  fs.rmSync(path, { recursive: true, force: true });
  fs.writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
}
