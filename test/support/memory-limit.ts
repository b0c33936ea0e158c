/** A cgroup with a limit of memory. */

import { isNotTested } from './allowed.ts';
import { type Cgroup, openCgroup } from './cgroup.ts';

export interface MemoryLimit extends Pick<Cgroup, 'command' | 'remove'> {
  /** How many processes the kernel has killed because memory ran out. */
  kills(): number;
  /** Bytes; files that were read count too, until their pages are needed. */
  peak(): number;
}

/** Makes a cgroup of at most `bytes`, without swap; where that is not allowed, prints that `what` is not tested. */
export function openMemoryLimit(what: string, bytes: number, program: string): MemoryLimit | undefined {
  const group = openCgroup('memory', program);
  if (group === undefined) {
    isNotTested(`${what}: a cgroup with a limit of memory is not allowed`);
    return undefined;
  }
  const { isV1, command, remove } = group;
  group.write(isV1 ? 'memory.limit_in_bytes' : 'memory.max', String(bytes));
  try {
    // Of memory and swap together in version 1, of swap in version 2. Without swap in the kernel there is no such file.
    group.write(isV1 ? 'memory.memsw.limit_in_bytes' : 'memory.swap.max', String(isV1 ? bytes : 0));
  } catch {}
  const number = (name: string, pattern: RegExp): number => Number(pattern.exec(group.read(name))?.[1]);
  return {
    command,
    remove,
    kills: () => number(isV1 ? 'memory.oom_control' : 'memory.events', /^oom_kill (\d+)$/m),
    peak: () => number(isV1 ? 'memory.max_usage_in_bytes' : 'memory.peak', /^(\d+)/),
  };
}
