/**
 * A copy of Node, `src` and `test/support` that every user can read and run.
 *
 * Only the owner of the checkout may be able to enter its directory (root's home, `mktemp -d`), or it was created with a umask of
 * 0077. A process of another user can then start neither Node nor a module of the checkout, and a test would mistake that failure
 * for a result of the program.
 */

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  constants,
  copyFileSync,
  cpSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { WAIT_LIMIT } from './wait.ts';

export interface ReadableCopy {
  readonly node: string;
  /** The copy of a file, which is named by its path in the checkout: `src/main.ts`. */
  path(file: string): string;
  /** The same for an `import`. */
  url(file: string): string;
}

/** A user that owns nothing. */
export const nobody = { uid: 65_534, gid: 65_534 } as const;

const checkout = join(import.meta.dirname, '../..');
const COPIED = ['package.json', 'src', 'test/support'];
/** TMPDIR may itself be in a directory that only its owner can enter. */
const PLACES = [tmpdir(), '/tmp'];

const roots: string[] = [];
process.on('exit', () => {
  for (const root of roots) rmSync(root, { recursive: true, force: true });
});

let copy: ReadableCopy | undefined;

/**
 * The copy, which is removed when this process ends; undefined if no directory is found in which other users can run a program.
 * Needs permission to become another user.
 */
export function readableCopy(): ReadableCopy | undefined {
  for (const place of PLACES) copy ??= usableCopy(place);
  return copy;
}

function usableCopy(place: string): ReadableCopy | undefined {
  const made = copyTo(place);
  return canBeRun(made) ? made : undefined;
}

function canBeRun({ node }: ReadableCopy): boolean {
  const options = { ...nobody, cwd: '/', stdio: 'ignore', timeout: WAIT_LIMIT } as const;
  return spawnSync(node, ['--version'], options).status === 0;
}

function copyTo(place: string): ReadableCopy {
  const root = mkdtempSync(join(place, 'podsecrets-readable-'));
  const path = (file: string) => join(root, file);
  const node = path('node');
  roots.push(root);
  copyFileSync(process.execPath, node, constants.COPYFILE_FICLONE);
  for (const name of COPIED) cpSync(join(checkout, name), path(name), { recursive: true });
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    chmodSync(path(name), lstatSync(path(name)).isDirectory() || name === 'node' ? 0o755 : 0o644);
  }
  chmodSync(root, 0o755);
  return { node, path, url: (file) => pathToFileURL(path(file)).href };
}
