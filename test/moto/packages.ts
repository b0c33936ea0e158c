/**
 * moto's Python packages, installed once into the user's cache.
 *
 * The versions are in requirements.txt; another file, or another Python, gets a separate directory. It is created in one step, so
 * several test files may request it at the same time. Only wheels are used, so no code of a package runs at its installation. An error
 * names what is missing on the machine.
 */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const requirements = join(import.meta.dirname, 'requirements.txt');

/** The directory to give to `python3` as PYTHONPATH. The first time on a machine it takes about 20 s, and the network. */
export function motoPackages(): string {
  const version = pythonVersion();
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'podsecrets-test');
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const place = join(cache, `moto-${digest}-python-${version}`);
  if (existsSync(place)) return place;

  mkdirSync(cache, { recursive: true });
  const building = mkdtempSync(join(cache, 'building-'));
  try {
    const [program, ...args] = pip(building);
    const target = join(building, 'packages');
    const flags = ['--quiet', '--disable-pip-version-check', '--no-input', '--only-binary=:all:'];
    const done = run(program, [...args, 'install', ...flags, '--target', target, '-r', requirements]);
    if (!done.ok)
      throw new Error(
        `expected pip to install ${requirements}, got an error. It needs PyPI, or a mirror in pip's configuration.\n${done.output}`,
      );
    publish(target, place);
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
  return place;
}

/** As in `3.11`: wheels are for one of these. */
function pythonVersion(): string {
  const { ok, output } = run('python3', ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])']);
  const version = output.trim();
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (ok && (major > 3 || (major === 3 && minor >= 11))) return version;
  throw new Error(
    `expected python3 of version 3.11 or later on the PATH, got ${ok ? version : 'none'}. The tests in test/moto run moto, which is Python: install python3 and python3-pip (Debian: apt-get install python3 python3-pip), or run npm test, which does without.`,
  );
}

/** A pip: python3's own, else, as Debian has it in another package, the one that comes with a virtual environment. */
function pip(scratch: string): readonly [string, ...string[]] {
  if (run('python3', ['-m', 'pip', '--version']).ok) return ['python3', '-m', 'pip'];
  const environment = join(scratch, 'environment');
  const made = run('python3', ['-m', 'venv', environment]);
  if (made.ok) return [join(environment, 'bin', 'python'), '-m', 'pip'];
  throw new Error(
    `expected python3 to have pip or venv, got neither. The tests in test/moto install moto with it: install one (Debian: apt-get install python3-pip, or python3-venv).\n${made.output}`,
  );
}

/** If two install at the same time, the first result is kept. */
function publish(target: string, place: string): void {
  try {
    renameSync(target, place);
  } catch (error) {
    if (!existsSync(place)) throw error;
  }
}

function run(program: string, args: readonly string[]): { readonly ok: boolean; readonly output: string } {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  return { ok: status === 0, output: error === undefined ? stdout + stderr : error.message };
}
