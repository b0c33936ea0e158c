/**
 * The memory limit of the container, as its cgroup has it.
 */

import { MEMORY_FLOOR, memoryText } from '../core/memory-floor.ts';
import { Problem } from '../core/problem.ts';
import { readRegularFile } from '../core/regular-file.ts';
import type { Check } from './report.ts';

/** Bytes; undefined without a limit, and if the cgroup is not visible. `root`: where the cgroups are mounted. */
export function readMemoryLimit(root = '/sys/fs/cgroup'): number | undefined {
  // Of cgroup v2 and v1. A container sees its own cgroup at the root.
  for (const name of ['memory.max', 'memory/memory.limit_in_bytes']) {
    const content = readRegularFile(`${root}/${name}`, 64);
    if (content.kind !== 'read') continue;
    // `max`, and in v1 the largest number of pages.
    const bytes = Number(new TextDecoder().decode(content.bytes));
    return Number.isFinite(bytes) && bytes < 2 ** 60 ? bytes : undefined;
  }
  return undefined;
}

/** Whether the limit is enough; none without a limit. */
export function memoryCheck(limit: number | undefined): readonly Check[] {
  if (limit === undefined) return [];
  const text = `limit ${memoryText(limit)}`;
  if (limit >= MEMORY_FLOOR) return [{ subject: 'memory', status: 'ok', text, problems: [] }];
  const problem = new Problem({
    code: 'kubernetes.content',
    subject: 'resources.limits.memory',
    message: `expected at least ${memoryText(MEMORY_FLOOR)}, got ${memoryText(limit)}: the start takes seconds, or never ends`,
    remedy: 'Set 128Mi, which is enough for 200 secrets of 64 KiB.',
  });
  return [{ subject: 'memory', status: 'warning', text, problems: [problem] }];
}
