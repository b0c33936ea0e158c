/**
 * `npm run test:kernel`: runs the tests of this folder on a kernel of their own with fs.protected_symlinks=1, as on ordinary
 * nodes. The sysctl applies to the whole machine, so the tests must not change it here.
 *
 * The kernel is User Mode Linux, an ordinary process (Debian: user-mode-linux). Its root file system is this machine's,
 * read-only. Exits with 3 and names what is missing when nothing could be tested.
 */

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NOT_TESTED } from '../support/allowed.ts';

const MISSING = 3;
const SYSCTL = '/proc/sys/fs/protected_symlinks';
/** Printed last, with the exit code of the tests. */
const ENDED = 'tests ended with';

const missing = [
  ['linux.uml', 'apt-get install user-mode-linux'],
  ['ip', 'apt-get install iproute2'],
].filter(([program = '']) => spawnSync('which', [program]).status !== 0);

if (missing.length > 0) {
  const list = missing.map(([program, remedy]) => `${program} is missing (Debian: ${remedy})`).join('; ');
  process.stderr.write(`!! NOT RUN: the tests on a kernel with fs.protected_symlinks on. ${list}.\n`);
  process.exitCode = MISSING;
} else {
  const output = boot(
    [
      '#!/bin/sh',
      `export PATH='${process.env.PATH}' TMPDIR=/dev/shm NO_COLOR=1 FORCE_COLOR=0`,
      'mount -t proc proc /proc; mkdir -p /dev/shm; mount -t tmpfs tmpfs /dev/shm',
      'ip link set lo up',
      `echo 1 > ${SYSCTL}; echo "fs.protected_symlinks is $(cat ${SYSCTL}) in Linux $(uname -r)"`,
      `cd '${join(import.meta.dirname, '../..')}'`,
      `'${process.execPath}' --no-warnings test/run.ts --kernel`,
      `echo "${ENDED} $?"`,
      'echo o > /proc/sysrq-trigger; sleep 60',
    ].join('\n'),
  );
  process.stdout.write(output);
  const hasPassed =
    output.includes('fs.protected_symlinks is 1 in ') &&
    output.includes(`${ENDED} 0`) &&
    !output.includes(NOT_TESTED);
  process.exitCode = hasPassed ? 0 : 1;
}

/** Boots a kernel with this script as its first process; returns what it printed until it switched itself off. */
function boot(script: string): string {
  // Not below /dev: the kernel mounts one of its own there.
  const dir = mkdtempSync(join(tmpdir(), 'podsecrets-kernel-'));
  try {
    const init = join(dir, 'init');
    writeFileSync(init, script);
    chmodSync(init, 0o755);
    const words = ['mem=1G', 'root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'ro', 'quiet'];
    const { stdout } = spawnSync('linux.uml', [...words, `init=${init}`, 'con=null', 'con0=null,fd:1'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      encoding: 'utf8',
      timeout: 1_800_000,
      killSignal: 'SIGKILL',
    });
    return stdout;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
