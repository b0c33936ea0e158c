/**
 * Builds programs from the Go module proxy. Needs only Go: no registry of images, no download site.
 *
 * The programs stay in a cache folder outside the repository, so only the first run takes minutes.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';

export interface GoProgram {
  /** The cache folder: a Go module, and its programs in `bin`. */
  readonly directory: string;
  /** The name of the program's file. */
  readonly name: string;
  /** The package that it is built from. */
  readonly from: string;
  /** For the linker, besides -s -w. */
  readonly linkerFlags?: string;
  /** Makes go.mod in the folder. */
  readonly prepare: (directory: string) => void;
}

/** The path of the program. Builds it if it is missing. Throws if Go is missing or the proxy does not respond. */
export function buildGoProgram({ directory, name, from, linkerFlags = '', prepare }: GoProgram): string {
  const target = join(directory, 'bin', name);
  if (existsSync(target)) return target;
  process.stderr.write(`building ${name} into ${directory}\n`);
  mkdirSync(join(directory, 'bin'), { recursive: true });
  prepare(directory);
  const flags = ['-mod=mod', `-ldflags=-s -w ${linkerFlags}`];
  go(directory, ['build', ...flags, '-o', `${target}.new`, from]);
  renameSync(`${target}.new`, target);
  return target;
}

/** Runs Go in the folder; its output. */
export function go(directory: string, words: readonly string[]): string {
  const env = { ...process.env, CGO_ENABLED: '0' };
  try {
    return execFileSync('go', words, {
      cwd: directory,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new Error('Go is not installed (no "go" on the PATH)', { cause });
  }
}
