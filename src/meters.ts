/**
 * The counters of a sidecar: what has happened since it started.
 *
 * Kept in memory and shown by the metrics page. A counter whose labels are known stands at 0 from the start, so that the
 * first failure is an increase and not a new line.
 */

import {
  exposition,
  type Labels,
  type MetricName,
  type Sample,
  sample,
  statusSamples,
} from './core/status/metrics.ts';
import type { AgentStatus } from './core/status/status.ts';
import type { ApiMeter, Notifier } from './ports.ts';

/** The counters, each as a function that counts one. */
export interface MetersOfSidecar {
  readonly api: ApiMeter;
  readonly publishes: (result: 'changed' | 'unchanged' | 'failed') => void;
  readonly reloads: (result: 'changed' | 'unchanged' | 'broken') => void;
  readonly notifications: (kind: Notifier['kind'], result: 'success' | 'error') => void;
  /** The metrics page: the counters, and the figures of a status and of the process. */
  page(status: AgentStatus, process: ProcessFigures): string;
}

/** What the system counts of this process. */
export interface ProcessFigures {
  /** Bytes. */
  readonly residentMemory: number;
  /** Seconds. */
  readonly cpuTime: number;
}

/** Counters at 0; `kinds` are those of the notifiers there are. */
export function createMeters(kinds: readonly Notifier['kind'][]): MetersOfSidecar {
  const counters = new Map<string, Sample>();
  const add = <N extends MetricName>(name: N, labels: Labels<N>, by: number): void => {
    const key = JSON.stringify([name, labels]);
    counters.set(key, sample(name, labels, (counters.get(key)?.value ?? 0) + by));
  };
  for (const result of ['changed', 'unchanged', 'failed']) add('podsecrets_syncs_total', { result }, 0);
  for (const result of ['changed', 'unchanged', 'broken'])
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
    publishes: (result) => add('podsecrets_syncs_total', { result }, 1),
    reloads: (result) => add('podsecrets_config_reloads_total', { result }, 1),
    notifications: (kind, result) => add('podsecrets_notifications_total', { kind, result }, 1),
    page: (status, { residentMemory, cpuTime }) =>
      exposition([
        ...counters.values(),
        ...statusSamples(status),
        sample('process_resident_memory_bytes', {}, residentMemory),
        sample('process_cpu_seconds_total', {}, cpuTime),
      ]),
  };
}
