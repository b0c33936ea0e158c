/**
 * Records beside a generation which Kubernetes Secrets were applied from it.
 *
 * A process may end between a publish and the update of its Secrets. The next one finds the files complete, and would be
 * ready at once although a Secret is missing or stale. The record counts only while its generation is current, so a restart
 * is ready at once exactly when the Secrets of this generation were applied, even while AWS is unavailable.
 */

import { join } from 'node:path';
import { readBounded } from './bounded-read.ts';
import type { FileSystem } from './fs.ts';
import { appliedFileName, type Layout } from './layout.ts';

/** Bytes: more than a config may describe. A larger file, put there by another container, is not read. */
const LIMIT = 4 * 1024 * 1024;

/** What was recorded for the current generation; undefined when nothing was. */
export function readAppliedSecrets(fs: FileSystem, dir: string, { appliedFile }: Layout): string | undefined {
  if (appliedFile === undefined) return undefined;
  const path = join(dir, appliedFile);
  return fs.lstatSync(path).isFile() ? readBounded(fs, path, LIMIT) : undefined;
}

/** Records a description of the Secrets, without values. Nothing is written when it is recorded already. */
export function writeAppliedSecrets(fs: FileSystem, dir: string, layout: Layout, text: string): void {
  if (layout.current === undefined || readAppliedSecrets(fs, dir, layout) === text) return;
  const path = join(dir, appliedFileName(layout.current.name));
  fs.rmSync(path, { recursive: true, force: true });
  fs.writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
}
