/** A cgroup with a limit, as the kubelet makes one for a container. Needs the right to make one. */

import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './wait.ts';

export interface Cgroup {
  /** Version 1 has a hierarchy for each controller, and other names of files. */
  readonly isV1: boolean;
  /** Starts a program in the cgroup: the words before it, for `start` of program.ts. */
  readonly command: readonly [string, ...string[]];
  read(file: string): string;
  write(file: string, text: string): void;
  /** To be called when its processes have ended or are ending; resolves when the cgroup is removed. */
  remove(): Promise<void>;
}

const ROOT = '/sys/fs/cgroup';

/** Makes a cgroup with this controller; undefined where that is not allowed. */
export function openCgroup(controller: 'memory' | 'pids', program: string): Cgroup | undefined {
  const isV1 = existsSync(join(ROOT, controller));
  // A killed test leaves its cgroup behind, and another process may get its pid.
  const name = `podsecrets-test-${process.pid}-${randomUUID()}`;
  const group = join(isV1 ? join(ROOT, controller) : ROOT, name);
  const file = (name: string): string => join(group, name);
  try {
    mkdirSync(group);
  } catch {
    return undefined;
  }
  if (!existsSync(file(isV1 && controller === 'memory' ? 'memory.limit_in_bytes' : `${controller}.max`))) {
    rmdirSync(group);
    return undefined;
  }
  return {
    isV1,
    command: ['sh', '-c', 'echo $$ > "$0" && exec "$@"', file('cgroup.procs'), program],
    read: (name) => readFileSync(file(name), 'utf8'),
    write: (name, text) => writeFileSync(file(name), text),
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
