/** A cgroup with a limit of processes and threads, as the kubelet makes one for a pod. Needs the right to make one. */

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isNotTested } from './allowed.ts';
import { until } from './wait.ts';

export interface PidsLimit {
  /** Starts a program in the cgroup: the words before its arguments, for `start` of program.ts. */
  readonly command: readonly [string, ...string[]];
  /** Lets so many more processes and threads start. */
  allow(more: number): void;
  allowAll(): void;
  /** To be called when its processes have ended. */
  remove(): Promise<void>;
}

/** Makes a cgroup; where that is not allowed, prints that `what` is not tested. */
export function openPidsLimit(what: string, program: string): PidsLimit | undefined {
  const v1 = '/sys/fs/cgroup/pids';
  const group = join(existsSync(v1) ? v1 : '/sys/fs/cgroup', `podsecrets-pids-${process.pid}`);
  const file = (name: string): string => join(group, name);
  const limit = (value: string | number): void => writeFileSync(file('pids.max'), String(value));
  try {
    mkdirSync(group);
    limit('max');
  } catch {
    if (existsSync(group)) rmdirSync(group);
    isNotTested(`${what}: a cgroup with a limit of processes is not allowed`);
    return undefined;
  }
  return {
    command: ['sh', '-c', 'echo $$ > "$0" && exec "$@"', file('cgroup.procs'), program],
    allow: (more) => limit(Number(readFileSync(file('pids.current'), 'utf8')) + more),
    allowAll: () => limit('max'),
    remove: () =>
      until('the processes of the cgroup to end', () => {
        try {
          rmdirSync(group);
          return true;
        } catch {
          return false;
        }
      }),
  };
}
