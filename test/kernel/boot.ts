/**
 * Boots a separate kernel: User Mode Linux, an ordinary process (Debian: user-mode-linux). Its root file system is this
 * machine's, read-only; it has no network and one processor.
 */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Milliseconds. */
const TIMEOUT = 3_600_000;

/** The missing parts of this machine, each with the package that contains it. */
export function missingForBoot(): readonly string[] {
  return [
    ['linux.uml', 'apt-get install user-mode-linux'],
    ['ip', 'apt-get install iproute2'],
  ]
    .filter(([program = '']) => spawnSync('which', [program]).status !== 0)
    .map(([program, remedy]) => `${program} is missing (Debian: ${remedy})`);
}

/**
 * Runs these lines of a shell in a booted kernel, which then ends; resolves with what they printed, which is printed here
 * line by line. /proc is mounted, and a tmpfs at /dev/shm, the folder for temporary files. `memory` as the kernel reads it: 1G.
 */
export async function boot(lines: readonly string[], memory: string): Promise<string> {
  // Not below /dev: the kernel mounts one of its own there.
  const dir = mkdtempSync(join(tmpdir(), 'podsecrets-kernel-'));
  try {
    const init = join(dir, 'init');
    const script = [
      '#!/bin/sh',
      `export PATH='${process.env.PATH}' TMPDIR=/dev/shm NO_COLOR=1 FORCE_COLOR=0`,
      'mount -t proc proc /proc; mkdir -p /dev/shm; mount -t tmpfs -o size=90% tmpfs /dev/shm',
      'ip link set lo up',
      ...lines,
      'echo o > /proc/sysrq-trigger; sleep 60',
    ];
    writeFileSync(init, script.join('\n'));
    chmodSync(init, 0o755);
    const words = [`mem=${memory}`, 'root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'ro', 'quiet'];
    const child = spawn('linux.uml', [...words, `init=${init}`, 'con=null', 'con0=null,fd:1'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: TIMEOUT,
      killSignal: 'SIGKILL',
    });
    const printed: string[] = [];
    // The console of that kernel is a terminal: it ends lines with CR LF, and .ci/run looks for whole lines.
    for await (const line of createInterface({ input: child.stdout })) {
      printed.push(line);
      process.stdout.write(`${line}\n`);
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
    return `${printed.join('\n')}\n`;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
