/** Requirements that only the machine can meet: permissions, parts of the kernel, commands. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { MissingPart } from './missing.ts';

/** Throws a MissingPart that names everything that is not there. */
export function checkMachine(): void {
  const missing = [...problems()];
  if (missing.length > 0) throw new MissingPart(missing.join('; '));
}

function* problems(): Iterable<string> {
  if (process.platform !== 'linux') return yield `Linux: this is ${process.platform}`;
  if (process.getuid?.() !== 0) return yield 'root: a node mounts volumes and makes namespaces; try sudo';
  for (const command of ['unshare', 'mount', 'ip', 'tar', 'dd', 'fincore'])
    if (spawnSync(command, ['--version']).error !== undefined) yield `the command ${command}`;
  if (!/\soverlay$/m.test(readFileSync('/proc/filesystems', 'utf8'))) yield 'overlayfs in the kernel';
  const links = 'ip link add veth0 type veth peer name veth1 && ip link add bridge0 type bridge';
  const made = spawnSync('unshare', ['--net', '--mount', '--pid', '--fork', 'sh', '-c', links], {
    encoding: 'utf8',
  });
  if (made.status !== 0)
    yield `namespaces with veth and bridge: ${(made.stderr || String(made.error)).trim()}`;
}
