/** A cgroup with a limit of memory, as the kubelet makes one for a container. Needs permission to create one. */

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isNotTested } from './allowed.ts';
import { until } from './wait.ts';

export interface MemoryLimit {
  /** Starts a program in the cgroup: the words before it, for `start` of program.ts. */
  readonly command: readonly [string, ...string[]];
  /** How many processes the kernel has killed because memory ran out. */
  kills(): number;
  /** Bytes; files that were read count too, until their pages are needed. */
  peak(): number;
  /** Call it when its processes have ended or are ending; resolves when the cgroup is removed. */
  remove(): Promise<void>;
}

const V1 = '/sys/fs/cgroup/memory';
let made = 0;

/** Creates a cgroup of at most `bytes`, without swap; if that is not allowed, prints that `what` is not tested. */
export function openMemoryLimit(what: string, bytes: number, program: string): MemoryLimit | undefined {
  const isV1 = existsSync(V1);
  const group = join(isV1 ? V1 : '/sys/fs/cgroup', `podsecrets-test-${process.pid}-${made++}`);
  const file = (name: string): string => join(group, name);
  try {
    mkdirSync(group);
    writeFileSync(file(isV1 ? 'memory.limit_in_bytes' : 'memory.max'), String(bytes));
    readFileSync(file(isV1 ? 'memory.oom_control' : 'memory.events'));
  } catch {
    if (existsSync(group)) rmdirSync(group);
    isNotTested(`${what}: a cgroup with a limit of memory is not allowed`);
    return undefined;
  }
  try {
    // Of memory and swap together in version 1, of swap in version 2. Without swap in the kernel there is no such file.
    writeFileSync(file(isV1 ? 'memory.memsw.limit_in_bytes' : 'memory.swap.max'), String(isV1 ? bytes : 0));
  } catch {}
  const number = (name: string, pattern: RegExp): number =>
    Number(pattern.exec(readFileSync(file(name), 'utf8'))?.[1]);
  return {
    command: ['sh', '-c', 'echo $$ > "$0" && exec "$@"', file('cgroup.procs'), program],
    kills: () => number(isV1 ? 'memory.oom_control' : 'memory.events', /^oom_kill (\d+)$/m),
    peak: () => number(isV1 ? 'memory.max_usage_in_bytes' : 'memory.peak', /^(\d+)/),
    remove: () => until('the processes of the cgroup to end', () => removed(group)),
  };
}

/** A killed process leaves its cgroup a moment after its parent was notified of its end: EBUSY until then. */
function removed(group: string): boolean {
  try {
    rmdirSync(group);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBUSY') return false;
    throw error;
  }
}
