/**
 * The checks of what Kubernetes provides: the memory limit of the container, and the version of the cluster.
 */

import { MEMORY_FLOOR, memoryText, smallLimit } from '../core/memory-floor.ts';
import { Problem, problemsOrThrow } from '../core/problem.ts';
import { escapeControl } from '../core/text.ts';
import { textOf, valueAt } from '../core/unknown.ts';
import type { KubernetesApi } from '../kubernetes/api.ts';
import type { Check } from './report.ts';

/** Whether the limit is enough; none without a limit. */
export function memoryCheck(limit: number | undefined): readonly Check[] {
  if (limit === undefined) return [];
  const text = `limit ${memoryText(limit)}`;
  if (limit >= MEMORY_FLOOR) return [{ subject: 'memory', status: 'ok', text, problems: [] }];
  const problem = new Problem({
    code: 'kubernetes.content',
    subject: 'resources.limits.memory',
    ...smallLimit(memoryText(limit)),
  });
  return [{ subject: 'memory', status: 'warning', text, problems: [problem] }];
}

/** The release that has fileKeyRef without a feature gate: the kubelet reads an envFile only since then. */
const NEEDED = 35;

/** Compares the version. Skipped if the API server cannot be reached, or the pod has no token: the files need neither. */
export async function clusterCheck(openApi: () => Promise<KubernetesApi>): Promise<Check> {
  const skipped = (reason: string): Check => ({
    subject: 'cluster',
    status: 'skipped',
    text: `its version cannot be read: ${reason}`,
    problems: [],
  });
  try {
    const api = await openApi();
    try {
      const { status, body } = await api.version();
      const version = textOf(valueAt(body, 'gitVersion')) ?? '';
      const [, major, minor] = /^v(\d+)\.(\d+)\./.exec(version) ?? [];
      if (major === undefined || minor === undefined) return skipped(`HTTP status ${status}`);
      return versionCheck(Number(major), Number(minor));
    } finally {
      api.close();
    }
  } catch (error) {
    const [{ subject, message }] = problemsOrThrow(error);
    return skipped(escapeControl(`${subject}: ${message}`));
  }
}

function versionCheck(major: number, minor: number): Check {
  const text = `Kubernetes ${major}.${minor}`;
  if (major > 1 || minor >= NEEDED) return { subject: 'cluster', status: 'ok', text, problems: [] };
  const problem = new Problem({
    code: 'kubernetes.version',
    subject: 'envFile',
    message: `fileKeyRef needs 1.${NEEDED}; this is ${major}.${minor}`,
    remedy: 'Let the application read the file, or use podsecrets exec.',
  });
  return { subject: 'cluster', status: 'warning', text, problems: [problem] };
}
