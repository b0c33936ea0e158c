/**
 * Programs from Debian's (or Ubuntu's) packages, unpacked into the cache folder: nothing is installed.
 *
 * apt-get uses separate package lists, so `apt-get update` is not needed first, and the system's state does not change.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './cache.ts';

/**
 * The folder with the files of a package. Without `suite` it is the version of this system, whose libraries the program
 * needs; with one, such as trixie, that suite's. Throws if there is no apt-get, or no such package.
 */
export function unpackedPackage(name: string, suite?: string): string {
  const folder = join(cacheFolder('debian'), `${name}-${suite ?? 'system'}`);
  if (existsSync(folder)) return folder;
  const download = `${folder}.new`;
  rmSync(download, { recursive: true, force: true });
  mkdirSync(join(download, 'files'), { recursive: true });
  const options = aptOptions(suite);
  run('apt-get', [...options, 'download', suite === undefined ? name : `${name}/${suite}`], download);
  run('sh', ['-c', 'dpkg-deb --extract ./*.deb files'], download);
  renameSync(join(download, 'files'), folder);
  rmSync(download, { recursive: true });
  return folder;
}

/** The mirror that the system installs from, such as http://deb.debian.org/debian. Throws if there is none. */
export function debianMirror(): string {
  const targets = run('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages']);
  const mirror = targets.split('\n').find((uri) => /\/debian\/?$/.test(uri));
  if (mirror === undefined) throw new Error('no mirror of Debian among the apt sources of this system');
  return mirror;
}

/** Options that give apt-get lists and a cache of its own, which are filled. */
function aptOptions(suite: string | undefined): readonly string[] {
  const folder = cacheFolder('apt', suite ?? 'system');
  const options = [`Dir::State::lists=${join(folder, 'lists')}`, `Dir::Cache=${join(folder, 'cache')}`];
  // As root apt-get would download as the user _apt, who may not write here.
  options.push('APT::Sandbox::User=root');
  if (suite !== undefined) {
    const sources = join(folder, 'sources.list');
    const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
    writeFileSync(sources, `deb [signed-by=${keyring}] ${debianMirror()} ${suite} main\n`);
    options.push(`Dir::Etc::sourcelist=${sources}`, 'Dir::Etc::sourceparts=-');
  }
  const words = options.flatMap((option) => ['-o', option]);
  if (!existsSync(join(folder, 'lists'))) {
    mkdirSync(join(folder, 'lists', 'partial'), { recursive: true });
    mkdirSync(join(folder, 'cache', 'archives', 'partial'), { recursive: true });
    run('apt-get', [...words, 'update']);
  }
  return words;
}

function run(command: string, words: readonly string[], cwd?: string): string {
  return execFileSync(command, words, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
