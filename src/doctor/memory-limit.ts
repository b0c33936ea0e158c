/**
 * Compares the memory limit of the container with what the program needs.
 */

import { MEMORY_FLOOR, memoryText } from '../core/memory-floor.ts';
import { Problem } from '../core/problem.ts';
import type { Check } from './report.ts';

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
