/**
 * The base image of the project's Dockerfile, for machines without a registry: Debian with Node and npm, as the image
 * `node` of that tag has them. Debian comes from its mirror, Node is the one that runs this, npm the one that started it.
 */

import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { debianMirror, unpackedPackage } from './debian.ts';
import type { Docker } from './docker.ts';

/** Imports an image of that name, such as node:26-trixie, unless there is one. Takes half a minute. */
export function importBaseImage(docker: Docker, image: string): void {
  if (docker.run(['images', '--quiet', image]).trim() !== '') return;
  const suite = image.split('-').at(-1) ?? '';
  const directory = mkdtempSync(join(tmpdir(), 'base-image-'));
  try {
    const root = join(directory, 'root');
    debootstrap(suite, root);
    addNode(root);
    execFileSync('tar', ['-C', root, '-cf', join(directory, 'image.tar'), '.']);
    docker.run(['import', join(directory, 'image.tar'), image]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function debootstrap(suite: string, root: string): void {
  const files = unpackedPackage('debootstrap');
  const include = '--include=ca-certificates,libatomic1,binutils,patchelf';
  const script = join(files, 'usr/sbin/debootstrap');
  // In a mount namespace of its own: what it mounts goes with it.
  execFileSync('unshare', ['-m', script, '--variant=minbase', include, suite, root, debianMirror()], {
    env: { ...process.env, DEBOOTSTRAP_DIR: join(files, 'usr/share/debootstrap') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function addNode(root: string): void {
  const npm = process.env.npm_execpath;
  if (npm === undefined) throw new Error('npm is not known: start this by npm run');
  copyFileSync(process.execPath, join(root, 'usr/local/bin/node'));
  mkdirSync(join(root, 'usr/local/lib/node_modules'), { recursive: true });
  cpSync(dirname(dirname(npm)), join(root, 'usr/local/lib/node_modules/npm'), { recursive: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
  // It trusts what this machine trusts, which may be an authority of a company's proxy.
  const authorities = '/etc/ssl/certs/ca-certificates.crt';
  if (!existsSync(authorities)) return;
  copyFileSync(authorities, join(root, authorities));
  mkdirSync(join(root, 'usr/local/etc'), { recursive: true });
  writeFileSync(join(root, 'usr/local/etc/npmrc'), `cafile=${authorities}\n`);
}
