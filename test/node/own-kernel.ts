/**
 * A node on a separate kernel with the settings of EKS nodes: cgroups of version 2 only, fs.protected_symlinks=1. Both are
 * settings of the whole machine, so a test must not change them here.
 *
 * Run by itself, in that kernel, this file runs the tests: its arguments are the parts of a node as JSON, and the words.
 */

import { globSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { boot, missingForBoot } from '../kernel/boot.ts';
import { unpackedPackage } from './debian.ts';
import { MISSING, MissingPart, part } from './missing.ts';
import { type BuiltParts, runHere } from './run-here.ts';

/** Modules that a node needs, each after those that it needs itself. */
const MODULES = ['crc-ccitt', 'ipv6', 'llc', 'stp', 'bridge', 'veth', 'overlay'];
/** Printed last, with the exit code of the tests. */
const ENDED = 'tests ended with';

/** Boots it, and runs the tests there; their exit code. Throws a MissingPart where the kernel cannot be had. */
export async function runOnOwnKernel(parts: BuiltParts, words: readonly string[]): Promise<number> {
  const missing = missingForBoot();
  if (missing.length > 0) throw new MissingPart(missing.join('; '));
  const busybox = await part('busybox, which loads the modules', () => unpackedPackage('busybox-static'));
  const insmod = `'${join(busybox, globSync('{usr/,}bin/busybox', { cwd: busybox })[0] ?? '')}' insmod`;
  const cpus = '/sys/devices/system/cpu';
  const command = [process.execPath, '--no-warnings', import.meta.filename, JSON.stringify(parts), ...words];
  const output = await boot(
    [
      'mount -t sysfs sysfs /sys; mount -t cgroup2 cgroup2 /sys/fs/cgroup',
      ...MODULES.map((name) => `${insmod} "$(find /usr/lib/uml/modules/$(uname -r) -name ${name}.ko)"`),
      'echo 1 > /proc/sys/fs/protected_symlinks',
      'echo "fs.protected_symlinks is $(cat /proc/sys/fs/protected_symlinks) in Linux $(uname -r)"',
      'echo "cgroups are $(stat -f -c %T /sys/fs/cgroup)"',
      // The kubelet does not start without the frequency of a processor, which this kernel does not give.
      `cp -r ${cpus} /dev/shm/cpu 2>/dev/null; mkdir -p /dev/shm/cpu/cpu0/cpufreq`,
      `echo 2000000 > /dev/shm/cpu/cpu0/cpufreq/cpuinfo_max_freq; mount --bind /dev/shm/cpu ${cpus}`,
      // What was built before the boot.
      ...cacheFolders().map((folder) => `ln -s ${quoted(folder)} /dev/shm/`),
      `cd ${quoted(join(import.meta.dirname, '../..'))}`,
      command.map(quoted).join(' '),
      `echo "${ENDED} $?"`,
    ],
    '8G',
  );
  const isWanted = ['fs.protected_symlinks is 1 in ', 'cgroups are cgroup2fs'].every((line) =>
    output.includes(line),
  );
  return isWanted ? Number(new RegExp(`^${ENDED} (\\d+)$`, 'm').exec(output)?.[1] ?? 1) : 1;
}

/** Of the programs and images, in the folder for temporary files, which is another one in that kernel. */
function cacheFolders(): readonly string[] {
  return readdirSync(tmpdir())
    .filter((name) => /^podsecrets-(node|cluster-[\d.]+)$/.test(name))
    .map((name) => join(tmpdir(), name));
}

/** A word of a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

if (import.meta.main) {
  const [parts = '{}', ...words] = process.argv.slice(2);
  try {
    process.exitCode = await runHere(JSON.parse(parts) as BuiltParts, words);
  } catch (error) {
    if (!(error instanceof MissingPart)) throw error;
    process.stdout.write(`missing: ${error.message}\n`);
    process.exitCode = MISSING;
  }
}
