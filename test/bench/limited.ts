/** A start under a CPU limit, as Kubernetes sets it: a share of each 100 ms. Needs the right to make a cgroup. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PERIOD = 100_000;

/** Seconds that the command takes with so many thousandths of a core; undefined where no cgroup can be made. */
export function limitedStart(
  milliCores: number,
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): number | undefined {
  const group = openGroup(milliCores);
  if (group === undefined) return undefined;
  try {
    // The quota applies to the normal scheduling class only; the bench itself may run with real-time priority.
    const script = 'chrt -o -p 0 $$ 2>/dev/null; echo $$ > "$0" && exec "$@"';
    const before = performance.now();
    const { status } = spawnSync('sh', ['-c', script, join(group, 'cgroup.procs'), ...command], {
      env: { ...env, PATH: process.env.PATH },
      stdio: 'ignore',
    });
    if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status} under a CPU limit`);
    return (performance.now() - before) / 1000;
  } finally {
    rmdirSync(group);
  }
}

function openGroup(milliCores: number): string | undefined {
  const quota = (PERIOD * milliCores) / 1000;
  const first = '/sys/fs/cgroup/cpu';
  const group = join(existsSync(first) ? first : '/sys/fs/cgroup', `podsecrets-bench-${process.pid}`);
  try {
    mkdirSync(group);
  } catch {
    return undefined;
  }
  try {
    if (existsSync(first)) {
      writeFileSync(join(group, 'cpu.cfs_period_us'), String(PERIOD));
      writeFileSync(join(group, 'cpu.cfs_quota_us'), String(quota));
    } else {
      writeFileSync(join(group, 'cpu.max'), `${quota} ${PERIOD}`);
    }
    return group;
  } catch {
    rmdirSync(group);
    return undefined;
  }
}
