/**
 * The namespaces in which a node runs: network, mounts and processes of its own. They end with their first process, and so
 * does everything in them, whatever happens. Only the cgroups are the machine's.
 */

import { execFileSync, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';

/** What pods reach the node by: the API server, the fake AWS. */
export const NODE_ADDRESS = '10.99.0.1';
/** The address of the service `kubernetes`; the first of `--service-cluster-ip-range`. */
const SERVICE_ADDRESS = '10.0.0.1';
/** Where EKS has the Pod Identity agent. */
export const AGENT_ADDRESS = '169.254.170.23';

/** Runs a command in new namespaces; resolves with its exit code, and never leaves one of their processes behind. */
export async function runInNamespaces(command: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const flags = [
    '--net',
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
    '--propagation',
    'private',
  ];
  // The first process of a PID namespace has to reap those that lost their parent, as shims do. A shell does.
  const shell = 'exec 3<&0; "$@" <&3 3<&- & wait $!';
  const words = [...flags, 'sh', '-c', shell, 'sh', ...command];
  // The command ends when its stdin does: then this process is gone.
  const stdio: StdioOptions = ['pipe', 'inherit', 'inherit'];
  const child = spawn('unshare', words, { stdio, env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => child.kill('SIGKILL'));
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? 1;
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
  // The kubelet and containerd write below these whatever their settings say.
  for (const directory of ['/run', '/var/lib', '/var/log'])
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', directory]);
}
