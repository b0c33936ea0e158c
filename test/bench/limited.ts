/** A start under a CPU limit, as Kubernetes sets it: a share of each 100 ms. Needs the right to make a cgroup. */

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { type Cgroup, openCgroup } from './cgroup.ts';

const PERIOD = 100_000;

/** Seconds that the command takes with so many thousandths of a core; undefined where no cgroup can be made. */
export function limitedStart(
  milliCores: number,
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): number | undefined {
  const group = openCpuLimit(milliCores);
  if (group === undefined) return undefined;
  try {
    // The quota applies to the normal scheduling class only; the bench itself may run with real-time priority.
    const script = 'chrt -o -p 0 $$ 2>/dev/null; echo $$ > "$0" && exec "$@"';
    const before = performance.now();
    const { status } = spawnSync('sh', ['-c', script, group.file('cgroup.procs'), ...command], {
      env: { ...env, PATH: process.env.PATH },
      stdio: 'ignore',
    });
    if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status} under a CPU limit`);
    return (performance.now() - before) / 1000;
  } finally {
    group.remove();
  }
}

/** A cgroup with so many thousandths of a core; undefined where none can be made. */
export function openCpuLimit(milliCores: number): Cgroup | undefined {
  return openCgroup('cpu', (cgroup) => setLimit(cgroup, milliCores));
}

function setLimit({ isV1, file }: Cgroup, milliCores: number): void {
  const quota = (PERIOD * milliCores) / 1000;
  if (isV1) {
    writeFileSync(file('cpu.cfs_period_us'), String(PERIOD));
    writeFileSync(file('cpu.cfs_quota_us'), String(quota));
  } else {
    writeFileSync(file('cpu.max'), `${quota} ${PERIOD}`);
  }
}
