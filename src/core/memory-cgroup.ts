/**
 * The memory limit of the container, and how much of it is used, from its cgroup.
 */

import { readFileSync } from 'node:fs';

/** A cgroup with a memory limit. Bytes. */
export interface MemoryCgroup {
  readonly limit: number;
  /**
   * The memory of all processes, the files on tmpfs, and memory of the kernel; without pages of files on disks, which the
   * kernel drops when memory is short. undefined: it cannot be read.
   */
  used(): number | undefined;
}

/** Cgroups of version 1, and of version 2. */
const VERSIONS = [
  {
    mount: '/memory',
    membership: /^\d+:(?:[^:\n]*,)?memory(?:,[^:\n]*)?:(.*)$/m,
    limit: 'memory.limit_in_bytes',
    usage: 'memory.usage_in_bytes',
    droppable: /^total_(?:in)?active_file (\d+)$/gm,
  },
  {
    mount: '',
    membership: /^0::(.*)$/m,
    limit: 'memory.max',
    usage: 'memory.current',
    droppable: /^(?:in)?active_file (\d+)$/gm,
  },
] as const;

/** Bytes: more than any machine has. */
const NO_LIMIT = 2 ** 60;

/**
 * The nearest cgroup of this process that has a limit; undefined if there is none, or it is not visible. `root`: where the
 * cgroups are mounted; a container sees its own cgroup there, or all of the node. `memberships`: the cgroups of this process.
 */
export function findMemoryCgroup(
  root = '/sys/fs/cgroup',
  memberships = '/proc/self/cgroup',
): MemoryCgroup | undefined {
  const own = textOf(memberships) ?? '';
  for (const { mount, membership, limit: limitFile, usage, droppable } of VERSIONS) {
    for (const path of andParents(membership.exec(own)?.[1] ?? '')) {
      const directory = `${root}${mount}${path}`;
      // Without a limit it is `max`, in version 1 the largest number of pages.
      const limit = bytesIn(`${directory}/${limitFile}`);
      if (limit === undefined || limit >= NO_LIMIT) continue;
      const used = (): number | undefined => {
        const [current, stat] = [bytesIn(`${directory}/${usage}`), textOf(`${directory}/memory.stat`)];
        if (current === undefined || stat === undefined) return undefined;
        return [...stat.matchAll(droppable)].reduce((left, [, bytes]) => left - Number(bytes), current);
      };
      return { limit, used };
    }
  }
  return undefined;
}

/** `/a/b`, `/a`, and the root, which is empty. */
function andParents(path: string): readonly string[] {
  const names = path.split('/').filter((name) => name !== '');
  return [...names.map((_, left) => `/${names.slice(0, names.length - left).join('/')}`), ''];
}

/** undefined: the file is missing, or has another content, such as nothing where the files of another system are mounted. */
function bytesIn(file: string): number | undefined {
  const [, digits] = /^(\d+)\n?$/.exec(textOf(file) ?? '') ?? [];
  return digits === undefined ? undefined : Number(digits);
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
