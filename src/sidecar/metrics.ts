/**
 * The metrics page: the metrics in Prometheus' text format, and the counters in memory.
 *
 * An interface: the table of examples/reference/http.md is generated from the table here. Written by hand: prom-client in the
 * same bundle costs 6.5 MB of private memory and 36 ms (Node 26), half of the budget of the whole sidecar; these lines cost 0.03 MB.
 * No secret is passed to this file, and every label has few values.
 */

import type { ApiMeter } from '../aws/client.ts';
import type { NotifierKind } from '../notify/notifier.ts';
import type { SidecarStatus } from './status.ts';
import type { CountSync } from './sync.ts';
import type { ReloadResult } from './target.ts';

/** A row of the table. */
export interface Metric {
  readonly type: 'counter' | 'gauge';
  readonly labels: readonly string[];
  readonly help: string;
}

/** The metrics by name. */
export const metrics = {
  podsecrets_build_info: {
    type: 'gauge',
    labels: ['version'],
    help: 'Always 1; the version is in the label.',
  },
  podsecrets_ready: {
    type: 'gauge',
    labels: [],
    help: '1 once every config was published, like /readyz.',
  },
  podsecrets_api_calls_total: {
    type: 'counter',
    labels: ['service', 'operation', 'region', 'result'],
    help: 'Calls to AWS that ended. result: success, denied, throttled, client, server or network.',
  },
  podsecrets_syncs_total: {
    type: 'counter',
    labels: ['result'],
    help: 'Syncs of a config. result: changed, unchanged or failed.',
  },
  podsecrets_consecutive_failures: {
    type: 'gauge',
    labels: [],
    help: 'Failed syncs since the last successful one.',
  },
  podsecrets_next_sync_timestamp_seconds: {
    type: 'gauge',
    labels: [],
    help: 'When the next sync is due.',
  },
  podsecrets_last_success_timestamp_seconds: {
    type: 'gauge',
    labels: ['config', 'directory'],
    help: 'When a config was last synced. The age of its files is time() minus this.',
  },
  podsecrets_last_change_timestamp_seconds: {
    type: 'gauge',
    labels: ['config', 'directory'],
    help: 'When a file of a config last changed.',
  },
  podsecrets_files: {
    type: 'gauge',
    labels: ['config', 'directory'],
    help: 'Files that are published.',
  },
  podsecrets_missing_optional_objects: {
    type: 'gauge',
    labels: ['config', 'directory'],
    help: 'Optional objects that do not exist.',
  },
  podsecrets_config_invalid: {
    type: 'gauge',
    labels: ['config', 'directory'],
    help: '1 while the config on disk is invalid and the previous version is used.',
  },
  podsecrets_config_reloads_total: {
    type: 'counter',
    labels: ['result'],
    help: 'Configs that were read again because they may have changed. result: changed, unchanged or invalid.',
  },
  podsecrets_credentials_expiry_timestamp_seconds: {
    type: 'gauge',
    labels: ['source'],
    help: 'When the credentials in use expire.',
  },
  podsecrets_notifications_total: {
    type: 'counter',
    labels: ['kind', 'result'],
    help: 'Attempts to notify the application. result: success or error.',
  },
  podsecrets_pending_notification_files: {
    type: 'gauge',
    labels: ['kind'],
    help: 'Changed files that the application was not notified of yet.',
  },
  podsecrets_last_notification_timestamp_seconds: {
    type: 'gauge',
    labels: ['kind'],
    help: 'When the application was last notified of a change.',
  },
  podsecrets_restarts_total: {
    type: 'counter',
    labels: ['result'],
    help: 'Only exec --on-change restart: restarts of the command after a change. result: success or error.',
  },
  podsecrets_log_lines_dropped_total: {
    type: 'counter',
    labels: [],
    help: 'Lines that are missing in the log, because nothing read it or it could not be written.',
  },
  process_resident_memory_bytes: {
    type: 'gauge',
    labels: [],
    help: 'Resident memory; most of it is shared with the other sidecars of the node.',
  },
  process_cpu_seconds_total: {
    type: 'counter',
    labels: [],
    help: 'User and system time.',
  },
  process_start_time_seconds: {
    type: 'gauge',
    labels: [],
    help: 'When the process started.',
  },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof metrics;

/** A value for each label that a metric has. */
export type Labels<N extends MetricName> = Readonly<Record<(typeof metrics)[N]['labels'][number], string>>;

/** One line of the page; several of one metric differ in their labels. */
export interface Sample {
  readonly name: MetricName;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One line of the page, with exactly the labels of its metric. */
export function sample<N extends MetricName>(name: N, labels: Labels<N>, value: number): Sample {
  return { name, labels, value };
}

/** The page in Prometheus' text format 0.0.4, in the order of the table. */
export function exposition(samples: readonly Sample[]): string {
  return Object.entries<Metric>(metrics)
    .flatMap(([name, { type, help }]) => {
      const lines = samples.filter((one) => one.name === name).map(sampleLine);
      return lines.length === 0 ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines];
    })
    .map((line) => `${line}\n`)
    .join('');
}

function sampleLine({ name, labels, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapedLabel(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
}

/** The three characters that end a label or its line. */
function escapedLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

/** The values of a status. A value that does not exist yet has no line. */
export function statusSamples(status: SidecarStatus): readonly Sample[] {
  const { configs, notifiers, credentials } = status;
  return [
    sample('podsecrets_build_info', { version: status.version }, 1),
    sample('podsecrets_ready', {}, status.ready ? 1 : 0),
    sample('podsecrets_consecutive_failures', {}, status.consecutiveFailures),
    sample('process_start_time_seconds', {}, seconds(status.startedAt)),
    ...timeSample('podsecrets_next_sync_timestamp_seconds', {}, status.nextSync),
    ...(credentials === undefined
      ? []
      : timeSample(
          'podsecrets_credentials_expiry_timestamp_seconds',
          { source: credentials.source },
          credentials.expiresAt,
        )),
    ...configs.flatMap((config) => {
      const labels = { config: config.file, directory: config.directory };
      return [
        ...timeSample('podsecrets_last_success_timestamp_seconds', labels, config.lastSuccess),
        ...timeSample('podsecrets_last_change_timestamp_seconds', labels, config.lastChange),
        sample('podsecrets_files', labels, config.files.length),
        sample('podsecrets_missing_optional_objects', labels, config.missingOptional.length),
        sample('podsecrets_config_invalid', labels, config.configProblems.length > 0 ? 1 : 0),
      ];
    }),
    ...notifiers.flatMap(({ kind, pending, lastNotified }) => [
      sample('podsecrets_pending_notification_files', { kind }, pending),
      ...timeSample('podsecrets_last_notification_timestamp_seconds', { kind }, lastNotified),
    ]),
  ];
}

function timeSample<N extends MetricName>(
  name: N,
  labels: Labels<N>,
  at: string | undefined,
): readonly Sample[] {
  return at === undefined ? [] : [sample(name, labels, seconds(at))];
}

function seconds(at: string): number {
  return Date.parse(at) / 1000;
}

/** The counters of a sidecar since its start, each as a function that counts one. */
export interface SidecarMetrics {
  readonly api: ApiMeter;
  readonly countSync: CountSync;
  readonly countReload: (result: ReloadResult) => void;
  readonly countNotification: (kind: NotifierKind, result: 'success' | 'error') => void;
  readonly countRestart: (result: 'success' | 'error') => void;
  /** The page: the counters, and the values of the status and of the process. */
  render(status: SidecarStatus, process: ProcessFigures): string;
}

/** Figures of this process. */
export interface ProcessFigures {
  /** Bytes. */
  readonly residentMemory: number;
  /** Seconds. */
  readonly cpuTime: number;
  /** Lines of the log that could not be written. */
  readonly droppedLines: number;
}

/**
 * `kinds`: the kinds of the configured notifiers; `restarts`: whether there is a command to restart. A counter whose labels are known
 * is 0 from the start, so that the first failure is an increase and not a new line.
 */
export function createMetrics(
  kinds: readonly NotifierKind[],
  { restarts = false }: { readonly restarts?: boolean } = {},
): SidecarMetrics {
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
  if (restarts) for (const result of ['success', 'error']) add('podsecrets_restarts_total', { result }, 0);

  return {
    api: {
      apiCall(service, operation, region, result) {
        add('podsecrets_api_calls_total', { service, operation, region, result }, 1);
      },
    },
    countSync: (result) => add('podsecrets_syncs_total', { result }, 1),
    countReload: (result) => add('podsecrets_config_reloads_total', { result }, 1),
    countNotification: (kind, result) => add('podsecrets_notifications_total', { kind, result }, 1),
    countRestart: (result) => add('podsecrets_restarts_total', { result }, 1),
    render: (status, { residentMemory, cpuTime, droppedLines }) =>
      exposition([
        ...counters.values(),
        ...statusSamples(status),
        sample('podsecrets_log_lines_dropped_total', {}, droppedLines),
        sample('process_resident_memory_bytes', {}, residentMemory),
        sample('process_cpu_seconds_total', {}, cpuTime),
      ]),
  };
}
