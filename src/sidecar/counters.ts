/**
 * The counters of a sidecar: what has happened since it started.
 *
 * Kept in memory and shown by the metrics page. A counter whose labels are known stands at 0 from the start, so that the
 * first failure is an increase and not a new line.
 */

import type { ApiMeter } from '../aws/client.ts';
import type { Notifier } from '../notify/notifier.ts';
import { exposition, type Labels, type MetricName, type Sample, sample, statusSamples } from './metrics.ts';
import type { SidecarStatus } from './status.ts';

/** The counters, each as a function that counts one. */
export interface SidecarMetrics {
  readonly api: ApiMeter;
  readonly countSync: (result: 'changed' | 'unchanged' | 'failed') => void;
  readonly countReload: (result: 'changed' | 'unchanged' | 'invalid') => void;
  readonly countNotification: (kind: Notifier['kind'], result: 'success' | 'error') => void;
  /** The metrics page: the counters, and the figures of a status and of the process. */
  render(status: SidecarStatus, process: ProcessFigures): string;
}

/** What the system counts of this process. */
interface ProcessFigures {
  /** Bytes. */
  readonly residentMemory: number;
  /** Seconds. */
  readonly cpuTime: number;
}

/** Counters at 0; `kinds` are those of the notifiers there are. */
export function createMetrics(kinds: readonly Notifier['kind'][]): SidecarMetrics {
  const counters = new Map<string, Sample>();
  const add = <N extends MetricName>(name: N, labels: Labels<N>, by: number): void => {
    const key = JSON.stringify([name, labels]);
    counters.set(key, sample(name, labels, (counters.get(key)?.value ?? 0) + by));
  };
  for (const result of ['changed', 'unchanged', 'failed']) add('podsecrets_syncs_total', { result }, 0);
  for (const result of ['changed', 'unchanged', 'invalid'])
    add('podsecrets_config_reloads_total', { result }, 0);
  for (const kind of kinds) {
    for (const result of ['success', 'error']) add('podsecrets_notifications_total', { kind, result }, 0);
  }

  return {
    api: {
      apiCall(service, operation, region, result) {
        add('podsecrets_api_calls_total', { service, operation, region, result }, 1);
      },
    },
    countSync: (result) => add('podsecrets_syncs_total', { result }, 1),
    countReload: (result) => add('podsecrets_config_reloads_total', { result }, 1),
    countNotification: (kind, result) => add('podsecrets_notifications_total', { kind, result }, 1),
    render: (status, { residentMemory, cpuTime }) =>
      exposition([
        ...counters.values(),
        ...statusSamples(status),
        sample('process_resident_memory_bytes', {}, residentMemory),
        sample('process_cpu_seconds_total', {}, cpuTime),
      ]),
  };
}
