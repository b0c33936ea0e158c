/**
 * A start of the program with a cold page cache below a memory limit, as its first start on a node. The pages that a
 * container reads first count as its own memory: below a low limit the kernel drops them, and reads them again, and again.
 */

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isNotTested } from './allowed.ts';
import { binary, type Running, start } from './program.ts';
import { until } from './wait.ts';

const MIB = 1024 * 1024;

export interface ColdStarts {
  /** Drops the program from the page cache, then starts it in the cgroup. */
  readonly start: (args: readonly string[], env: Readonly<Record<string, string>>) => Promise<Running>;
  /** Kills what still runs, and removes the cgroup and the copy of the program. */
  readonly close: () => Promise<void>;
}

/** Makes a cgroup with this limit in MiB. Undefined, with a line that `what` is not tested, where that is not allowed. */
export function openColdStarts(what: string, limit: number): ColdStarts | undefined {
  const group = makeGroup(limit);
  if (typeof group !== 'string') {
    isNotTested(`${what}: ${group.reason}`);
    return undefined;
  }
  const directory = mkdtempSync(join(tmpdir(), 'cold-start-'));
  // The kernel does not drop pages that another process has mapped, so it is a separate file.
  const program = join(directory, 'podsecrets');
  copyFileSync(binary, program);
  // What it has to write to the disk cannot be dropped.
  spawnSync('sync', ['-d', program]);
  const joined = `echo $$ > '${group}/cgroup.procs' && exec "$@"`;
  const all: Running[] = [];
  return {
    async start(args, env) {
      await until(`no page of ${program} in the page cache`, () => isDropped(program));
      const one = start(args, env, ['sh', '-c', joined, 'sh', program]);
      all.push(one);
      return one;
    },
    async close() {
      for (const { child, hasEnded, ended } of all) {
        if (hasEnded()) continue;
        child.kill('SIGKILL');
        await ended();
      }
      rmdirSync(group);
      rmSync(directory, { recursive: true });
    },
  };
}

/** Its folder, or why there is none. Of version 1 where the memory controller is there, else of version 2. */
function makeGroup(limit: number): string | { readonly reason: string } {
  const v1 = '/sys/fs/cgroup/memory';
  const isV1 = existsSync(v1);
  const group = join(isV1 ? v1 : '/sys/fs/cgroup', `podsecrets-cold-start-${process.pid}`);
  try {
    mkdirSync(group);
    writeFileSync(join(group, isV1 ? 'memory.limit_in_bytes' : 'memory.max'), String(limit * MIB));
    return group;
  } catch (error) {
    if (existsSync(group)) rmdirSync(group);
    return { reason: `no memory cgroup: ${(error as Error).message}` };
  }
}

/** Drops the pages of a file as far as the kernel allows it; whether none is left. */
function isDropped(file: string): boolean {
  spawnSync('dd', [`if=${file}`, 'iflag=nocache', 'count=0'], { stdio: 'ignore' });
  const words = ['--noheadings', '--bytes', '--output', 'RES', file];
  return Number(spawnSync('fincore', words, { encoding: 'utf8' }).stdout) === 0;
}
