/** The working set of processes, as the kubelet counts it: the memory of their cgroup without inactive pages of files. */

import { readFileSync } from 'node:fs';
import { type Cgroup, openCgroup } from './cgroup.ts';

export interface MemoryGroup extends Cgroup {
  /** MiB. */
  workingSet(): number;
}

const MIB = 1024 * 1024;

/** Makes a cgroup; undefined where that is not allowed. */
export function openMemoryGroup(): MemoryGroup | undefined {
  const usage = ({ isV1, file }: Cgroup): number =>
    Number(readFileSync(file(isV1 ? 'memory.usage_in_bytes' : 'memory.current'), 'utf8'));
  // Missing where the memory controller is not delegated.
  const group = openCgroup('memory', usage);
  if (group === undefined) return undefined;
  const inactive = group.isV1 ? 'total_inactive_file' : 'inactive_file';
  return {
    ...group,
    workingSet() {
      const stat = readFileSync(group.file('memory.stat'), 'utf8');
      const [, bytes] = new RegExp(`^${inactive} (\\d+)`, 'm').exec(stat) ?? [];
      return (usage(group) - Number(bytes)) / MIB;
    },
  };
}
