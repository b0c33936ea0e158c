/** The working set of processes, as the kubelet counts it: the memory of their cgroup without inactive pages of files. */

import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

export interface MemoryGroup {
  /** A process joins by writing its pid here; its children follow. */
  readonly procs: string;
  /** MiB. */
  workingSet(): number;
  /** To be called when its processes have ended. */
  remove(): void;
}

const MIB = 1024 * 1024;

/** Makes a cgroup; undefined where that is not allowed. */
export function openMemoryGroup(): MemoryGroup | undefined {
  const v1 = '/sys/fs/cgroup/memory';
  const isV1 = existsSync(v1);
  const group = join(isV1 ? v1 : '/sys/fs/cgroup', `podsecrets-bench-memory-${process.pid}`);
  const [usage, inactive] = isV1
    ? ['memory.usage_in_bytes', 'total_inactive_file']
    : ['memory.current', 'inactive_file'];
  const read = (file: string) => readFileSync(join(group, file), 'utf8');
  try {
    mkdirSync(group);
    // Missing where the memory controller is not delegated.
    read(usage);
  } catch {
    if (existsSync(group)) rmdirSync(group);
    return undefined;
  }
  return {
    procs: join(group, 'cgroup.procs'),
    workingSet() {
      const [, bytes] = new RegExp(`^${inactive} (\\d+)`, 'm').exec(read('memory.stat')) ?? [];
      return (Number(read(usage)) - Number(bytes)) / MIB;
    },
    remove: () => rmdirSync(group),
  };
}
