/**
 * A start of the program with a cold page cache below a memory limit, as its first start on a node. The pages that a
 * container reads first count as its own memory: below a low limit the kernel drops them, and reads them again, and again.
 */

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMemoryLimit } from './memory-limit.ts';
import { binary, type Running, start } from './program.ts';
import { until } from './wait.ts';

const MIB = 1024 * 1024;

export interface ColdStarts {
  /** Drops the program from the page cache, then starts it in the cgroup. */
  readonly start: (args: readonly string[], env: Readonly<Record<string, string>>) => Promise<Running>;
  /** Kills what still runs, and removes the cgroup and the copy of the program. */
  readonly close: () => Promise<void>;
}

/** Creates a cgroup with this limit in MiB. Undefined, with a line that `what` is not tested, if that is not allowed. */
export function openColdStarts(what: string, limit: number): ColdStarts | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'cold-start-'));
  // The kernel does not drop pages that another process has mapped, so it is a separate file.
  const program = join(directory, 'podsecrets');
  const memory = openMemoryLimit(what, limit * MIB, program);
  if (memory === undefined) {
    rmSync(directory, { recursive: true });
    return undefined;
  }
  copyFileSync(binary, program);
  // Pages that are not written to the disk yet cannot be dropped.
  spawnSync('sync', ['-d', program]);
  const all: Running[] = [];
  return {
    async start(args, env) {
      await until(`no page of ${program} in the page cache`, () => isDropped(program));
      const one = start(args, env, memory.command);
      all.push(one);
      return one;
    },
    async close() {
      for (const { child, hasEnded, ended } of all) {
        if (hasEnded()) continue;
        child.kill('SIGKILL');
        await ended();
      }
      await memory.remove();
      rmSync(directory, { recursive: true });
    },
  };
}

/** Drops the pages of a file as far as the kernel allows it; whether none is left. */
function isDropped(file: string): boolean {
  spawnSync('dd', [`if=${file}`, 'iflag=nocache', 'count=0'], { stdio: 'ignore' });
  const words = ['--noheadings', '--bytes', '--output', 'RES', file];
  return Number(spawnSync('fincore', words, { encoding: 'utf8' }).stdout) === 0;
}
