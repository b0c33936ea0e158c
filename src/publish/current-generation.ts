/**
 * The set in use, read back: whether it is what a plan would make, and the values that a hook's output must not show.
 */

import { join } from 'node:path';
import type { FilePath } from '../core/file-path.ts';
import { Secret } from '../core/secret.ts';
import type { FileSystem } from './fs.ts';
import { readLayout } from './layout.ts';

/** Whether a set is in use that has all of these files; false also when it cannot be read. */
export function holdsFiles(fs: FileSystem, dir: string, paths: readonly FilePath[]): boolean {
  try {
    const { current, links } = readLayout(fs, dir);
    if (current === undefined) return false;
    return paths.every((path) => {
      fs.statSync(join(dir, current.name, path));
      return links.has(path.split('/')[0] ?? '');
    });
  } catch {
    return false;
  }
}

/** Every value of the set in use. Throws the error of the file system for one that cannot be read. */
export function readValues(fs: FileSystem, dir: string): readonly Secret[] {
  const { current } = readLayout(fs, dir);
  if (current === undefined) return [];
  const set = join(dir, current.name);
  return fs
    .readdirSync(set, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => new Secret(fs.readFileSync(join(entry.parentPath, entry.name))));
}
