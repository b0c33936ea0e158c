/** A cgroup of one controller: of version 1 where the machine has that, else of version 2. */

import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

export interface Cgroup {
  readonly isV1: boolean;
  /** The path of one of its files. A process joins by writing its pid into `cgroup.procs`; its children follow. */
  file(name: string): string;
  /** To be called when its processes have ended. */
  remove(): void;
}

/** Makes it, and sets it up by `prepare`; undefined where one of them is not allowed. */
export function openCgroup(
  controller: 'cpu' | 'memory',
  prepare: (cgroup: Cgroup) => void,
): Cgroup | undefined {
  const v1 = `/sys/fs/cgroup/${controller}`;
  const isV1 = existsSync(v1);
  const directory = join(isV1 ? v1 : '/sys/fs/cgroup', `podsecrets-bench-${controller}-${randomUUID()}`);
  const cgroup: Cgroup = {
    isV1,
    file: (name) => join(directory, name),
    remove: () => rmdirSync(directory),
  };
  try {
    mkdirSync(directory);
    prepare(cgroup);
    return cgroup;
  } catch {
    if (existsSync(directory)) rmdirSync(directory);
    return undefined;
  }
}
