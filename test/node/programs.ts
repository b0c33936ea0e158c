/**
 * The programs of a node. Kubernetes' come from the build of test/cluster, containerd and the network plugins from the Go
 * module proxy too, runc from the system or its packages.
 *
 * Image volumes need containerd 2.1 or newer, which Debian 12 and 13 do not have.
 */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { built } from '../cluster/build.ts';
import { buildGoProgram, go } from '../cluster/go.ts';
import { cacheFolder } from './cache.ts';
import { unpackedPackage } from './debian.ts';

const containerd = 'github.com/containerd/containerd/v2';
const CONTAINERD_VERSION = 'v2.2.9';
const plugins = 'github.com/containernetworking/plugins';
const PLUGINS_VERSION = 'v1.9.0';

const packages = {
  containerd: `${containerd}/cmd/containerd`,
  'containerd-shim-runc-v2': `${containerd}/cmd/containerd-shim-runc-v2`,
  ctr: `${containerd}/cmd/ctr`,
  bridge: `${plugins}/plugins/main/bridge`,
  'host-local': `${plugins}/plugins/ipam/host-local`,
  loopback: `${plugins}/plugins/main/loopback`,
} as const;

export interface NodePrograms {
  readonly kubelet: string;
  readonly scheduler: string;
  readonly containerd: string;
  readonly ctr: string;
  readonly runc: string;
  /** The folder of containerd's shim and of the network plugins. */
  readonly directory: string;
}

/** Builds what is not there yet. Throws if Go is missing, the proxy does not respond, or there is no runc. */
export function nodePrograms(): NodePrograms {
  for (const program of ['etcd', 'kubectl', 'kube-apiserver', 'kube-controller-manager'] as const)
    built(program);
  const [kubelet, scheduler] = [built('kubelet'), built('kube-scheduler')];
  for (const name of Object.keys(packages)) buildContainerd(name as keyof typeof packages);
  return {
    kubelet,
    scheduler,
    containerd: buildContainerd('containerd'),
    ctr: buildContainerd('ctr'),
    runc: runcBinary(),
    directory: cacheFolder('containerd', CONTAINERD_VERSION, 'bin'),
  };
}

function buildContainerd(name: keyof typeof packages): string {
  return buildGoProgram({
    directory: cacheFolder('containerd', CONTAINERD_VERSION),
    name,
    from: packages[name],
    prepare(directory) {
      if (existsSync(join(directory, 'go.mod'))) return;
      go(directory, ['mod', 'init', 'podsecrets.test/node']);
      go(directory, [
        'get',
        `${packages.containerd}@${CONTAINERD_VERSION}`,
        `${packages.bridge}@${PLUGINS_VERSION}`,
      ]);
    },
  });
}

/** runc is linked with C libraries, so it is the system's own: installed, or from its packages. */
export function runcBinary(): string {
  const found = spawnSync('sh', ['-c', 'command -v runc'], { encoding: 'utf8' }).stdout.trim();
  return found || join(unpackedPackage('runc'), 'usr', 'sbin', 'runc');
}
