/** containerd on the node: its settings, its start, the import of the images. */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Daemon, startDaemon } from '../cluster/daemon.ts';
import { images } from './images.ts';
import type { NodePrograms } from './programs.ts';
import { until } from './wait.ts';

export interface Containerd {
  readonly socket: string;
  readonly daemon: Daemon;
}

export async function startContainerd(
  directory: string,
  programs: NodePrograms,
  archives: readonly string[],
): Promise<Containerd> {
  const socket = join(directory, 'containerd.sock');
  const settings = join(directory, 'containerd.toml');
  writeFileSync(settings, settingsOf(directory, socket, programs));
  writeNetwork(directory);
  const env = { ...process.env, PATH: `${programs.directory}:${process.env.PATH}` };
  const daemon = startDaemon(directory, programs.containerd, ['--config', settings], env);
  const ctr = ['--address', socket, '--namespace', 'k8s.io'];
  await until(
    () => `a response of containerd\n${daemon.logTail()}`,
    () => spawnSync(programs.ctr, [...ctr, 'version'], { stdio: 'ignore' }).status === 0,
    60,
  );
  for (const archive of archives)
    execFileSync(programs.ctr, [...ctr, 'images', 'import', '--no-unpack=false', archive], { stdio: 'pipe' });
  return { socket, daemon };
}

function settingsOf(directory: string, socket: string, { runc, directory: binaries }: NodePrograms): string {
  return `version = 3
root = "${join(directory, 'containerd')}"
state = "/run/containerd"
[grpc]
  address = "${socket}"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "${images.pause}"
[plugins."io.containerd.cri.v1.runtime"]
  # Without it containers could not start where this process may not lower its oom_score_adj.
  restrict_oom_score_adj = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["${binaries}"]
    conf_dir = "${join(directory, 'network')}"
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
      BinaryName = "${runc}"
      SystemdCgroup = false
`;
}

/** Pods reach the node, and the node reaches them, by a bridge. */
function writeNetwork(directory: string): void {
  const range = {
    type: 'host-local',
    ranges: [[{ subnet: '10.244.0.0/24' }]],
    routes: [{ dst: '0.0.0.0/0' }],
  };
  const bridge = {
    type: 'bridge',
    bridge: 'cni0',
    isGateway: true,
    ipam: { ...range, dataDir: '/run/host-local' },
  };
  const network = { cniVersion: '1.0.0', name: 'pods', plugins: [bridge] };
  mkdirSync(join(directory, 'network'));
  writeFileSync(join(directory, 'network', 'pods.conflist'), JSON.stringify(network));
}
