/**
 * The version of the cluster, for a config with an envFile: the kubelet reads such a file only since Kubernetes 1.35.
 */

import { Problem, problemsOrThrow } from '../core/problem.ts';
import { escapeControl } from '../core/text.ts';
import { textOf, valueAt } from '../core/unknown.ts';
import type { KubernetesApi } from '../kubernetes/api.ts';
import type { Check } from './report.ts';

/** The release that has fileKeyRef without a feature gate. */
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
