/**
 * The namespaces in which a node runs: network, mounts and processes of its own. They end with their first process, and so
 * does everything in them, even after a failure. Only the cgroups are those of the machine.
 */

import { execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** The address at which pods reach the API server and the fake AWS. */
export const NODE_ADDRESS = '10.99.0.1';
/** The address of the service `kubernetes`; the first of `--service-cluster-ip-range`. */
const SERVICE_ADDRESS = '10.0.0.1';
/** Where EKS has the Pod Identity agent. */
export const AGENT_ADDRESS = '169.254.170.23';

export interface InNamespaces {
  readonly ended: Promise<number>;
  /** Kills the first process, and with it the others; resolves when all have ended. */
  readonly stop: () => Promise<number>;
}

/** Starts a command in new namespaces of mounts and processes, and those of `more`. `ended` has its exit code. */
export function startInNamespaces(
  command: readonly string[],
  options: SpawnOptions,
  ...more: readonly string[]
): InNamespaces {
  // The first process of a PID namespace has to reap those that lost their parent, as shims do. A shell does. It would give
  // a command in the background no stdin.
  const shell = 'exec 3<&0; "$@" <&3 3<&- & wait $!';
  const flags = [
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
    '--propagation',
    'private',
    ...more,
  ];
  const child = spawn('unshare', [...flags, 'sh', '-c', shell, 'sh', ...command], options);
  const ended = once(child, 'close').then(([code]): number => code ?? 1);
  return {
    ended,
    stop() {
      // Killing unshare would kill them too, but later than it ends itself.
      const file = `/proc/${child.pid}/task/${child.pid}/children`;
      const first = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
      if (first > 0) process.kill(first, 'SIGKILL');
      return ended;
    },
  };
}

/** Runs a command in new namespaces, of the network too; its exit code. No process of it is left when this one ends. */
export function runInNamespaces(command: readonly string[]): Promise<number> {
  // The command ends when its stdin is closed, by the end of this process.
  const started = startInNamespaces(command, { stdio: ['pipe', 'inherit', 'inherit'] }, '--net');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => void started.stop());
  return started.ended;
}

/** Called in the new namespaces: their addresses, routes and mounts. */
export function setUpNamespaces(): void {
  const ip = (words: string) => execFileSync('ip', words.split(' '), { stdio: 'pipe' });
  ip('link set lo up');
  for (const address of [NODE_ADDRESS, SERVICE_ADDRESS, AGENT_ADDRESS])
    ip(`address add ${address}/32 dev lo`);
  // The kubelet and the network plugin look for a default route. Nothing outside can be reached by it.
  ip('route add default dev lo');
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');

  // Volumes have to show what the kubelet mounts into them later.
  execFileSync('mount', ['--make-rshared', '/']);
  // The kubelet and containerd write below these, whatever their settings.
  for (const directory of ['/run', '/var/lib', '/var/log'])
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', directory]);
}
