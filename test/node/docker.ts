/**
 * A Docker engine with buildx: that of this machine, or one from Debian's packages.
 *
 * The latter runs in separate namespaces, which end with it, and uses the machine's network. It reaches no registry of images, so the
 * base image is built here too: base-image.ts.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { cacheFolder } from './cache.ts';
import { removeCgroup } from './cgroup.ts';
import { unpackedPackage } from './debian.ts';
import { startInNamespaces } from './namespace.ts';
import { runcBinary } from './programs.ts';

export interface Docker {
  /** Whether it can probably reach registries: the machine's own Docker can. */
  readonly pulls: boolean;
  /** Runs the command line client; its output. The error has the output of a failed command. */
  readonly run: (words: readonly string[]) => string;
  readonly stop: () => Promise<void>;
}

/** Throws if there is none and Debian's packages cannot be had. */
export async function openDocker(): Promise<Docker> {
  const isRunning = spawnSync('docker', ['buildx', 'version']).status === 0;
  if (isRunning && spawnSync('docker', ['info']).status === 0)
    return { pulls: true, run: client('docker', []), stop: async () => {} };
  return startOwnDocker();
}

function client(binary: string, flags: readonly string[]): Docker['run'] {
  return (words) =>
    execFileSync(binary, [...flags, ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** The release that has docker and buildx of a usable age. */
const SUITE = 'trixie';

async function startOwnDocker(): Promise<Docker> {
  const [engine, cli, buildx, containerd] = ['docker.io', 'docker-cli', 'docker-buildx', 'containerd'].map(
    (name) => unpackedPackage(name, SUITE),
  ) as [string, string, string, string];
  const directory = mkdtempSync(join(tmpdir(), 'docker-'));
  const [path, config] = [join(directory, 'bin'), join(directory, 'config')];
  mkdirSync(path);
  for (const name of ['containerd', 'containerd-shim-runc-v2'])
    symlinkSync(join(containerd, 'usr/bin', name), join(path, name));
  symlinkSync(runcBinary(), join(path, 'runc'));
  mkdirSync(join(config, 'cli-plugins'), { recursive: true });
  copyFileSync(
    join(buildx, 'usr/libexec/docker/cli-plugins/docker-buildx'),
    join(config, 'cli-plugins', 'docker-buildx'),
  );

  const [socket, log] = [`unix://${join(directory, 'socket')}`, join(directory, 'log')];
  const cgroup = `/podsecrets-${basename(directory)}`;
  const output = openSync(log, 'w');
  const daemon = startInNamespaces(
    [
      ...[join(engine, 'usr/sbin/dockerd'), '--data-root', cacheFolder('docker'), '--cgroup-parent', cgroup],
      ...['--exec-root', join(directory, 'exec'), '--pidfile', join(directory, 'pid'), '-H', socket],
      ...['--bridge=none', '--userland-proxy=false', '--iptables=false', '--ip6tables=false'],
      ...['--ip-forward=false', '--ip-masq=false'],
    ],
    {
      stdio: ['ignore', output, output],
      env: { ...process.env, PATH: `${path}:${process.env.PATH}` },
    },
  );
  closeSync(output);
  let running = true;
  void daemon.ended.then(() => {
    running = false;
  });
  const stop = async () => {
    if (running) await daemon.stop();
    removeCgroup(cgroup);
    rmSync(directory, { recursive: true, force: true });
  };
  const binary = join(cli, 'usr/bin/docker');
  const flags = ['--config', config, '-H', socket];
  for (let attempt = 0; spawnSync(binary, [...flags, 'info']).status !== 0; attempt++) {
    if (attempt === 120 || !running) {
      const tail = readFileSync(log, 'utf8').slice(-1000);
      await stop();
      throw new Error(`the Docker engine did not start:\n${tail}`);
    }
    await setTimeout(500);
  }
  return { pulls: false, run: client(binary, flags), stop };
}
